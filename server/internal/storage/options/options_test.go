package options

import (
	"reflect"
	"strings"
	"testing"
)

type example struct {
	Text    string            `yaml:"text" option:"required secret"`
	Word    string            `yaml:"word" option:"allowed=a|b"`
	Truth   *bool             `yaml:"truth"`
	Number  int64             `yaml:"number" option:"least=2 most=4"`
	Letters []string          `yaml:"letters" option:"allowed=a|b"`
	Table   map[string]string `yaml:"table"`
}

func TestOf(t *testing.T) {
	list := Of(reflect.TypeFor[example]())
	text, word, truth, number := list[0], list[1], list[2], list[3]
	if text.Name != "text" || !text.Required || !text.Secret || word.Required || word.Secret {
		t.Errorf("%+v %+v", text, word)
	}
	if strings.Join(word.Allowed, "") != "ab" || truth.Type.Kind() != reflect.Bool || number.Least != 2 || number.Most != 4 {
		t.Errorf("%+v %+v %+v", word, truth, number)
	}
}

func TestRead(t *testing.T) {
	got := example{Number: 3}
	if err := Read("x", map[string]any{"text": "t", "truth": false, "letters": []any{"a", "b"}, "table": map[any]any{"a": "b"}, "word": nil}, &got).Err(); err != nil {
		t.Fatal(err)
	}
	if got.Text != "t" || got.Truth == nil || *got.Truth || got.Number != 3 || len(got.Letters) != 2 || got.Table["a"] != "b" {
		t.Errorf("%+v", got)
	}
}

func TestReadTellsAllProblems(t *testing.T) {
	err := Read("x", map[string]any{
		"text": " ", "word": "c", "truth": "true", "number": uint64(1) << 63, "letters": []any{"a", 1}, "table": map[any]any{"a": 1}, "more": "s3cr3t",
	}, &example{}).Err()
	want := `storage.x: text is required
storage.x: word must be one of a, b
storage.x: truth must be true or false
storage.x: number must be between 2 and 4
storage.x: letters must be a list of strings
storage.x: table must be a table of strings
storage.x: more is not an option of this driver`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
