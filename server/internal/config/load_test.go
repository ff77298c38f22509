package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const plainConfig = `version: 0.1
http:
  addr: 127.0.0.1:5000
storage:
  inmemory: {}
`

func TestReadIsAsStrictAsLoad(t *testing.T) {
	mistyped := strings.Replace(plainConfig, "inmemory", "inmemroy", 1)
	for name, test := range map[string]struct {
		content string
		want    string
	}{
		"good":          {plainConfig, ""},
		"unknown key":   {mistyped, "storage.inmemroy: unknown key; did you mean inmemory?"},
		"empty":         {"", "the file is empty"},
		"two documents": {plainConfig + "---\n" + plainConfig, "more than one YAML document"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.yml")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, loaded := Load(file)
			c, read := Read(strings.NewReader(test.content), "standard input")
			if test.want == "" {
				if loaded != nil || read != nil || c.Storage.Type() != "inmemory" {
					t.Errorf("got %v, %v", loaded, read)
				}
				return
			}
			if loaded == nil || read == nil || !strings.Contains(read.Error(), test.want) {
				t.Fatalf("got %v and %v, want %q", loaded, read, test.want)
			}
			if got := strings.ReplaceAll(loaded.Error(), file, "standard input"); got != read.Error() {
				t.Errorf("a file fails by %q, standard input by %q", got, read)
			}
		})
	}
}

func TestReadFails(t *testing.T) {
	broken := errors.New("broken pipe")
	if _, err := Read(iotest.ErrReader(broken), "standard input"); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestSecrets(t *testing.T) {
	for name, test := range map[string]struct {
		storage string
		want    []string
	}{
		"s3":         {"s3: {bucket: b, region: r, accesskey: ACCESS, secretkey: SECRET}", []string{"ACCESS", "SECRET"}},
		"azure":      {"azure: {accountname: a, container: c, accountkey: KEY, credentials: {type: client_secret, clientid: i, secret: SECRET}}", []string{"KEY", "SECRET"}},
		"gcs":        {"gcs: {bucket: b, credentials: {type: service_account, private_key: KEY}}", []string{"KEY", "service_account"}},
		"swift":      {"swift: {authurl: 'http://a', container: c, username: u, password: WORD, authversion: 3}", []string{"WORD"}},
		"filesystem": {"filesystem: {rootdirectory: /r}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Read(io.MultiReader(strings.NewReader("version: 0.1\nhttp: {addr: ':1'}\nstorage:\n  "), strings.NewReader(test.storage)), "test")
			if err != nil {
				t.Fatal(err)
			}
			got := Secrets(c.Configuration)
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
