package images

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"
)

const (
	// most is how many layers, steps or manifests of an image are kept, and few how many
	// labels and the like. What a manifest of 4 MiB may have takes a hundred times the memory.
	most, few = 1000, 200
	// long is how much of a text is kept, and short how much of a word.
	long, short = 4 << 10, 128
)

// List is the beginning of a list of any length.
type List[T any] struct {
	Items []T
	// Count is of all.
	Count int
}

// More is how many were left out.
func (l List[T]) More() int { return l.Count - len(l.Items) }

// UnmarshalJSON reads one after the other. An item of another type than it should be is as
// good as it can be read, which is how the engine reads it.
func (l *List[T]) UnmarshalJSON(content []byte) error {
	*l = List[T]{}
	d := json.NewDecoder(bytes.NewReader(content))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil
	}
	for d.More() {
		var item T
		_ = d.Decode(&item)
		if len(l.Items) < most {
			l.Items = append(l.Items, item)
		}
		l.Count++
	}
	return nil
}

// Pair is a label or an annotation.
type Pair struct{ Name, Value Text }

// Pairs are the first ones of a map.
type Pairs struct {
	Items []Pair
	Count int
}

// More is how many were left out.
func (p Pairs) More() int { return p.Count - len(p.Items) }

// Of is the value of a name.
func (p Pairs) Of(name string) string {
	for _, each := range p.Items {
		if string(each.Name) == name {
			return string(each.Value)
		}
	}
	return ""
}

// UnmarshalJSON reads one after the other.
func (p *Pairs) UnmarshalJSON(content []byte) error {
	*p = Pairs{}
	d := json.NewDecoder(bytes.NewReader(content))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		var value Text
		_ = d.Decode(&value)
		if text, ok := name.(string); ok && len(p.Items) < few {
			p.Items = append(p.Items, Pair{Text(shortened(text, long)), value})
		}
		p.Count++
	}
	return nil
}

// Text is one that may be cut off.
type Text string

// UnmarshalJSON takes strings alone.
func (t *Text) UnmarshalJSON(content []byte) error {
	var whole string
	// Others are left out.
	_ = json.Unmarshal(content, &whole)
	*t = Text(shortened(whole, long))
	return nil
}

// Word is a text that is short where it means anything: a media type, or a part of a platform.
type Word string

// UnmarshalJSON takes strings alone.
func (w *Word) UnmarshalJSON(content []byte) error {
	var whole string
	// Others are left out.
	_ = json.Unmarshal(content, &whole)
	*w = Word(shortened(whole, short))
	return nil
}

func shortened(text string, most int) string {
	text = Readable(text)
	if len(text) <= most {
		return text
	}
	end := most
	for !utf8.RuneStart(text[end]) {
		end--
	}
	// A copy, so that the whole is not kept for its beginning.
	return strings.Clone(text[:end]) + "…"
}

// Readable marks what would have a text read in another order than it is written, or not be seen.
func Readable(text string) string {
	return strings.Map(func(r rune) rune {
		embeds := r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
		if embeds || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// Size is a number of bytes as a client claims it.
type Size int64

// UnmarshalJSON has no size below 0.
func (s *Size) UnmarshalJSON(content []byte) error {
	var given int64
	_ = json.Unmarshal(content, &given)
	*s = Size(max(0, given))
	return nil
}

// Plus does not overflow.
func (s Size) Plus(other Size) Size {
	if other > math.MaxInt64-s {
		return math.MaxInt64
	}
	return s + other
}

// Digest is empty where a client gave none that is valid.
type Digest digest.Digest

// UnmarshalJSON leaves out what is no digest.
func (d *Digest) UnmarshalJSON(content []byte) error {
	var given digest.Digest
	_ = json.Unmarshal(content, &given)
	if given.Validate() == nil {
		*d = Digest(given)
	}
	return nil
}
