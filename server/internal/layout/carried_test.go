package layout

import (
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

func TestCarriedOf(t *testing.T) {
	d := digest.FromString("a manifest")
	c := Carried{d, 1_700_000_000_123_456, -1}
	p := CarriedPath("team/app", "1.0", c)
	if tag, got, ok := CarriedOf(p); !ok || tag != "1.0" || got != c {
		t.Errorf("%s is of %q, %+v, %t", p, tag, got, ok)
	}
	past := "/_manifests/tags/1.0/index/sha256/" + d.Encoded()
	for _, other := range []string{
		"", TagPath("team/app", "pushed.1.2"), past + "/link", past + "/pushed.1", past + "/pushed.1.2.tmp", past + "/pushed.1.x",
		past + "/pushed.1.2/link", "/_manifests/tags/pushed.1.2", "/_manifests/tags/1.0/index/sha256/short/pushed.1.2", "/_manifests/tags/1.0/current/sha256/" + d.Encoded() + "/pushed.1.2",
	} {
		if tag, c, ok := CarriedOf(other); ok {
			t.Errorf("%s is of %q, %+v", other, tag, c)
		}
	}
}

func TestLastPush(t *testing.T) {
	d, other := digest.FromString("a"), digest.FromString("b")
	written := time.Unix(1_700_000_000, 500_000_000)
	carried := func(d digest.Digest, daysBefore int, after time.Duration) Carried {
		return Carried{d, written.AddDate(0, 0, -daysBefore).UnixMicro(), written.Add(-after).UnixMicro()}
	}
	for name, test := range map[string]struct {
		all  []Carried
		want int
	}{
		"pushed here":                {nil, 0},
		"transferred":                {[]Carried{carried(d, 30, 0)}, 30},
		"a time that is cut off":     {[]Carried{carried(d, 30, 500*time.Millisecond)}, 30},
		"a time that is rounded up":  {[]Carried{carried(d, 30, -500*time.Millisecond)}, 30},
		"pushed again after that":    {[]Carried{carried(d, 30, time.Second)}, 0},
		"another image":              {[]Carried{carried(other, 30, 0)}, 0},
		"transferred, and again":     {[]Carried{carried(d, 30, time.Hour), carried(d, 20, 0)}, 20},
		"pushed again to the source": {[]Carried{carried(d, 20, 0), carried(d, 30, 0)}, 20},
	} {
		if got, want := LastPush(d, written, test.all), written.AddDate(0, 0, -test.want); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
