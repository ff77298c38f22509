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
	// most is how many layers, steps or manifests of an image are kept, and few how many labels and the like.
	// All that fits into a manifest of 4 MiB would take a hundred times that in memory.
	most, few = 1000, 200
	// long is how much of a text is kept, and short how much of a word.
	long, short = 4 << 10, 128
)

// List is the beginning of a list of any length.
type List[T any] struct {
	Items []T
	// Count is the length of the whole list.
	Count int
}

// More is how many were left out.
func (l List[T]) More() int { return l.Count - len(l.Items) }

// UnmarshalJSON reads one item after the other. Of an item of the wrong type, it keeps what can be read, as the
// engine does.
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

// UnmarshalJSON reads one pair after the other.
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

// Text is a string that may be cut off.
type Text string

// UnmarshalJSON accepts only strings.
func (t *Text) UnmarshalJSON(content []byte) error {
	var whole string
	// Other values become empty.
	_ = json.Unmarshal(content, &whole)
	*t = Text(shortened(whole, long))
	return nil
}

// Word is a text that is short if it is valid: a media type, or a part of a platform.
type Word string

// UnmarshalJSON accepts only strings.
func (w *Word) UnmarshalJSON(content []byte) error {
	var whole string
	// Other values become empty.
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
	// This is a copy, so that the whole text is not held in memory for its beginning.
	return strings.Clone(text[:end]) + "…"
}

// Readable replaces characters that are invisible, or that make a text read in another order than it is
// written.
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

// UnmarshalJSON turns a size below 0 into 0.
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

// Digest is empty if a client gave no valid one.
type Digest digest.Digest

// UnmarshalJSON leaves out what is not a digest.
func (d *Digest) UnmarshalJSON(content []byte) error {
	var given digest.Digest
	_ = json.Unmarshal(content, &given)
	if given.Validate() == nil {
		*d = Digest(given)
	}
	return nil
}
