package audit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestKinds checks that a write outlives any number of reads, failed logins and refused writes, and that all of
// them are shown in the order of their times.
func TestKinds(t *testing.T) {
	folder := t.TempDir()
	l := open(t, folder)
	for _, each := range []*ring{l.writes, l.refused, l.reads} {
		each.mostOfFile = 1000
	}
	write := func(tag string) {
		w := push(tag, before)
		w.Time = time.Now()
		l.Observe(t.Context(), w)
	}
	write("first")
	engine := l.Reads(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }), "/")
	for i := range mostFailures {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/v2/team/app/manifests/%d", i), nil)
		engine.ServeHTTP(httptest.NewRecorder(), r)
		l.Refused(r, "alice")
		refused := push("no", before)
		refused.Time = time.Now()
		l.ObserveRefusal(t.Context(), refused)
	}
	write("last")
	lines := shown(t, folder)
	if first, last := lines[0], lines[len(lines)-1]; !strings.Contains(first, `"tag":"first"`) || !strings.Contains(last, `"tag":"last"`) || strings.Count(strings.Join(lines, ""), `"action":"pull"`) < 30 {
		t.Errorf("%d lines: %s … %s", len(lines), first, last)
	}
	var at time.Time
	for i, each := range lines {
		var told record
		if err := json.Unmarshal([]byte(each), &told); err != nil || told.Time.Before(at) {
			t.Fatalf("line %d: %v: %s after %s", i, err, each, at)
		}
		at = told.Time
	}
}

// TestShares has one user write more than its share, while others and collections go on writing.
func TestShares(t *testing.T) {
	folder := t.TempDir()
	l := open(t, folder)
	now := time.Now()
	l.shares.users = map[string]*share{"alice": {at: now.Add(time.Hour)}}
	for i := range 5 {
		l.Observe(t.Context(), push(fmt.Sprint(i), before))
	}
	for _, user := range []string{"bob", ""} {
		w := push("other", before)
		w.User = user
		l.Observe(t.Context(), w)
	}
	l.shares.users["alice"].at = now.Add(-time.Minute)
	l.Observe(t.Context(), push("5", before))
	lines := shown(t, folder)
	if len(lines) != 3 || !strings.Contains(lines[0], "bob") || strings.Contains(lines[1], "user\":") || !strings.Contains(lines[2], `"omitted":5`) || !strings.Contains(lines[2], `"tag":"5"`) {
		t.Errorf("%q", lines)
	}
}

func TestShare(t *testing.T) {
	var s shares
	start := time.Unix(1000, 0)
	const line = 1 << 20
	for _, each := range []struct {
		after    time.Duration
		admitted int
	}{{0, 16}, {0, 0}, {anew / 4, 4}, {anew / 4, 0}, {-time.Hour, 0}, {10 * anew, 16}} {
		admitted := 0
		for range 20 {
			if _, ok := s.admit("alice", line, start.Add(each.after)); ok {
				admitted++
			}
		}
		if admitted != each.admitted {
			t.Errorf("after %s: %d, want %d", each.after, admitted, each.admitted)
		}
	}
}
