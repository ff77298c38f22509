package mirror

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/opencontainers/go-digest"
)

func TestPullOf(t *testing.T) {
	got := digest.FromString("x")
	d := got.String()
	asked, fetched, refused := heard{asked: true}, heard{asked: true, fetched: true}, heard{asked: true, fetched: true, refusal: unreachable}
	for _, test := range []struct {
		request string
		heard   heard
		want    Pull
		ok      bool
	}{
		{"GET /v2/library/app/manifests/latest", asked, Pull{"library/app", got, false}, true},
		{"GET /v2/library/app/manifests/latest", fetched, Pull{"library/app", got, true}, true},
		{"HEAD /v2/library/app/manifests/latest", asked, Pull{"library/app", "", false}, true},
		{"GET /v2/library/app/manifests/" + d, fetched, Pull{"library/app", got, true}, true},
		{"HEAD /v2/library/app/manifests/" + d, asked, Pull{"library/app", "", false}, true},
		{"GET /v2/library/app/manifests/" + d, heard{}, Pull{"library/app", got, false}, true},
		{"GET /v2/library/app/blobs/" + d, fetched, Pull{"library/app", got, true}, true},
		{"GET /v2/library/app/blobs/" + d, refused, Pull{"library/app", got, false}, true},
		{"GET /v2/library/app/tags/list", asked, Pull{}, false},
		{"PUT /v2/library/app/manifests/latest", heard{}, Pull{}, false},
		{"GET /ui/", heard{}, Pull{}, false},
	} {
		var method, path string
		if _, err := fmt.Sscan(test.request, &method, &path); err != nil {
			t.Fatal(err)
		}
		answer := http.Header{"Docker-Content-Digest": {d}}
		pull, ok := pullOf(v2.RouterWithPrefix(""), httptest.NewRequest(method, path, http.NoBody), answer, &test.heard)
		if pull != test.want || ok != test.ok {
			t.Errorf("%s: %v, %t", test.request, pull, ok)
		}
	}
}

func TestPullsAreBounded(t *testing.T) {
	var pulls Pulls
	begin := time.Now()
	for i := range mostPulled + 2 {
		pulls.Note(Pull{Repository: fmt.Sprintf("r%d", i)}, begin.Add(time.Duration(i)))
		pulls.Note(Pull{Repository: "r0"}, begin.Add(time.Duration(i)))
	}
	if len(pulls.last) != mostPulled {
		t.Errorf("%d are remembered", len(pulls.last))
	}
	if pulls.Last("r0").IsZero() || !pulls.Last("r1").IsZero() || pulls.Last(fmt.Sprintf("r%d", mostPulled+1)).IsZero() {
		t.Error("others are remembered than those of the last pulls")
	}
}
