package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/writes"
)

var before, now = digest.FromString("before"), digest.FromString("now")

func open(t *testing.T, folder string) *Log {
	t.Helper()
	l, err := Open(folder, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// shown returns the lines of a folder.
func shown(t *testing.T, folder string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := Show(t.Context(), folder, &out, false); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func push(tag string, from digest.Digest) writes.Write {
	return writes.Write{Time: time.Unix(1, 0), Action: writes.Push, Kind: writes.Manifest, Repository: "team/app", Digest: now, Size: 2,
		MediaType: "m", User: "alice", Address: "192.0.2.1:5", UserAgent: "docker/29", Tags: []writes.TagChange{{Name: tag, From: from}}}
}

func TestWrites(t *testing.T) {
	const who = `"user":"alice","address":"192.0.2.1","useragent":"docker/29","repository":"team/app"`
	tests := []struct {
		name  string
		write writes.Write
		want  []string
	}{
		{"a tag that moves", push("latest", before), []string{
			`{"time":"1970-01-01T00:00:01Z","action":"push","kind":"manifest",` + who + `,"tag":"latest","from":"` + before.String() + `","to":"` + now.String() + `","digest":"` + now.String() + `","mediatype":"m","size":2}`}},
		{"a manifest that goes with two tags", writes.Write{Time: time.Unix(1, 0), Action: writes.Delete, Kind: writes.Manifest, Repository: "team/app", Digest: before,
			User: "alice", Address: "192.0.2.1:5", UserAgent: "docker/29", Tags: []writes.TagChange{{Name: "1", From: before}, {Name: "2", From: before}}}, []string{
			`{"time":"1970-01-01T00:00:01Z","action":"delete","kind":"manifest",` + who + `,"tag":"1","from":"` + before.String() + `","digest":"` + before.String() + `"}`,
			`{"time":"1970-01-01T00:00:01Z","action":"delete","kind":"manifest",` + who + `,"tag":"2","from":"` + before.String() + `","digest":"` + before.String() + `"}`}},
		{"a blob of nobody", writes.Write{Time: time.Unix(1, 0), Action: writes.Push, Kind: writes.Blob, Repository: "a", Digest: now, Address: "@"}, []string{
			`{"time":"1970-01-01T00:00:01Z","action":"push","kind":"blob","address":"@","repository":"a","digest":"` + now.String() + `"}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			open(t, folder).Observe(t.Context(), test.write)
			if got := shown(t, folder); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestHostile has clients that try to forge lines, or to fill the record with a few lines.
func TestHostile(t *testing.T) {
	for _, text := range []string{"\n{}", "\"", "\x1b[2J", "\u009b", "\u202e", "\xff", strings.Repeat("x", 32<<10), strings.Repeat("\x01", 32<<10)} {
		folder := t.TempDir()
		w := push(text, before)
		w.User, w.Address, w.UserAgent, w.Repository, w.MediaType = text, text, text, text, text
		open(t, folder).Observe(t.Context(), w)
		lines := shown(t, folder)
		if len(lines) != 1 || len(lines[0]) > 3<<10 || !json.Valid([]byte(lines[0])) {
			t.Errorf("%.20q: %d bytes: %.300q", text, len(lines[0]), lines)
		}
		if strings.ContainsFunc(lines[0], func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%.20q is not escaped: %.300q", text, lines[0])
		}
	}
}

// TestBounded writes more than is kept, from two servers in turn.
func TestBounded(t *testing.T) {
	folder := t.TempDir()
	a, b := open(t, folder), open(t, folder)
	a.writes.mostOfFile, b.writes.mostOfFile = 1000, 1000
	const count = 200
	for i := range count {
		l := a
		if i%7 == 0 {
			l = b
		}
		l.Observe(t.Context(), push(fmt.Sprint(i), before))
	}
	names, err := files(folder, ofWrites)
	if err != nil || len(names) > mostOfFiles+1 {
		t.Errorf("%d files: %v", len(names), err)
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() > 2000 {
			t.Errorf("%s: %d bytes: %v", name, info.Size(), err)
		}
	}
	lines := shown(t, folder)
	if last := lines[len(lines)-1]; !strings.Contains(last, fmt.Sprintf(`"tag":"%d"`, count-1)) || len(lines) < 10 {
		t.Errorf("%d lines, the last is %s", len(lines), last)
	}
}

// TestClockBehind has a clock that is behind, like that of a machine without a hardware clock at its start.
func TestClockBehind(t *testing.T) {
	folder := t.TempDir()
	for i := range mostOfFiles {
		name := nameAfter(nil, ofWrites, time.Now().Add(time.Duration(i+1)*time.Hour))
		if err := os.WriteFile(filepath.Join(folder, name), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, folder)
	l.writes.mostOfFile = 1
	for i := range 3 {
		l.Observe(t.Context(), push(fmt.Sprint(i), before))
	}
	lines := shown(t, folder)
	if len(lines) != mostOfFiles || !strings.Contains(lines[len(lines)-1], `"tag":"2"`) {
		t.Errorf("%q", lines)
	}
}

// TestGoesOn has a server that was killed in the middle of a line.
func TestGoesOn(t *testing.T) {
	folder := t.TempDir()
	first := open(t, folder)
	first.Observe(t.Context(), push("1", before))
	if _, err := first.writes.file.WriteString(`{"half`); err != nil {
		t.Fatal(err)
	}
	second := open(t, folder)
	second.Observe(t.Context(), push("2", before))
	lines := shown(t, folder)
	if len(lines) != 2 || !strings.Contains(lines[0], `"tag":"1"`) || !strings.Contains(lines[1], `"tag":"2"`) {
		t.Errorf("%q", lines)
	}
	if names, _ := files(folder, ofWrites); len(names) != 1 {
		t.Errorf("%q", names)
	}
}

// TestDiskFull has a disk that becomes full in the middle of a line, and has room again later.
func TestDiskFull(t *testing.T) {
	folder := t.TempDir()
	registrytest.SmallDisk(t, folder, "size=16k")
	l := open(t, folder)
	other := filepath.Join(folder, "other")
	if err := os.WriteFile(other, make([]byte, 8<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := 0
	for ; ; whole++ {
		l.Observe(t.Context(), push(fmt.Sprint(whole), before))
		if _, lost := l.Counts(); lost > 0 {
			break
		}
	}
	if !l.writes.torn {
		t.Fatal("the disk was not full within a line")
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	const more = 3
	for i := range more {
		l.Observe(t.Context(), push(fmt.Sprintf("after-%d", i), before))
	}
	lines := shown(t, folder)
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q", line)
		}
	}
	if last := lines[len(lines)-1]; len(lines) != whole+more || !strings.Contains(last, fmt.Sprintf("after-%d", more-1)) {
		t.Errorf("%d lines, want %d; the last is %s", len(lines), whole+more, last)
	}
}

// TestLost has a record that can't be written: clients are not affected, and the log says so once.
func TestLost(t *testing.T) {
	folder := t.TempDir()
	l := open(t, folder)
	var complaints bytes.Buffer
	l.log.Logger.SetOutput(&complaints)
	l.writes.file.Close()
	for range 3 {
		l.Observe(t.Context(), push("1", before))
	}
	if written, lost := l.Counts(); written != 0 || lost != 3 {
		t.Errorf("%d written, %d lost", written, lost)
	}
	if got := strings.Count(complaints.String(), "has a hole"); got != 1 {
		t.Errorf("%d complaints: %s", got, complaints.String())
	}
	if _, err := Open(filepath.Join(folder, "none"), l.log); err == nil || !strings.Contains(err.Error(), "server.audit.folder") {
		t.Errorf("a missing folder: %v", err)
	}
}

func TestRefused(t *testing.T) {
	folder := t.TempDir()
	l := open(t, folder)
	r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
	r.SetBasicAuth("alice", "hunter2")
	l.Refused(r, "alice")
	l.Refused(r, "")
	lines := shown(t, folder)
	if len(lines) != 2 || !strings.Contains(lines[0], `"action":"login","user":"alice","address":"192.0.2.1","reason":"wrong password"`) ||
		!strings.Contains(lines[1], `"action":"login","address":"192.0.2.1","reason":"unknown user"`) || strings.Contains(lines[0], "hunter2") {
		t.Errorf("%q", lines)
	}
}

// TestRefusedWrites has a stranger try more writes than get lines, and a user who tries one meanwhile.
func TestRefusedWrites(t *testing.T) {
	folder := t.TempDir()
	l := open(t, folder)
	refused := push("latest", "")
	refused.Digest, refused.Reason, refused.Tags = "", "not allowed for this user", append(refused.Tags, writes.TagChange{Name: "2"})
	stranger := refused
	stranger.User = ""
	for range mostFailures + 5 {
		l.ObserveRefusal(t.Context(), stranger)
	}
	l.ObserveRefusal(t.Context(), refused)
	stranger.Time = stranger.Time.Add(time.Minute)
	l.ObserveRefusal(t.Context(), stranger)
	lines := shown(t, folder)
	if len(lines) != mostFailures+2 {
		t.Fatalf("%d lines", len(lines))
	}
	user, last := lines[mostFailures], lines[mostFailures+1]
	want := `"action":"push","kind":"manifest","user":"alice","address":"192.0.2.1","useragent":"docker/29","repository":"team/app","tag":"latest","mediatype":"m","size":2,"refused":true,"reason":"not allowed for this user"}`
	if !strings.HasSuffix(user, want) {
		t.Errorf("%s\nwant %s", user, want)
	}
	if !strings.Contains(last, `"omitted":5`) || strings.Contains(last, "alice") {
		t.Errorf("%s", last)
	}
}

func TestFailures(t *testing.T) {
	var f failures
	start := time.Unix(1000, 0)
	for i := range mostFailures + 5 {
		if omitted, ok := f.admit(start); ok != (i < mostFailures) || omitted != 0 {
			t.Fatalf("%d: %d %v", i, omitted, ok)
		}
	}
	if omitted, ok := f.admit(start.Add(time.Minute)); !ok || omitted != 5 {
		t.Errorf("%d %v", omitted, ok)
	}
	if omitted, ok := f.admit(start.Add(time.Minute)); !ok || omitted != 0 {
		t.Errorf("%d %v", omitted, ok)
	}
}

func TestReads(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		want         string
	}{
		{http.MethodGet, "manifests/latest", 200, `"kind":"manifest","address":"192.0.2.1","repository":"team/app","tag":"latest","digest":"` + now.String() + `"`},
		{http.MethodGet, "manifests/" + now.String(), 200, `"kind":"manifest","address":"192.0.2.1","repository":"team/app","digest":"` + now.String() + `"`},
		{http.MethodGet, "blobs/" + before.String(), 206, `"kind":"blob","address":"192.0.2.1","repository":"team/app","digest":"` + before.String() + `"`},
		{http.MethodGet, "blobs/" + before.String(), 307, `"kind":"blob"`},
		{http.MethodHead, "manifests/latest", 200, ""},
		{http.MethodGet, "manifests/none", 404, ""},
		{http.MethodGet, "tags/list", 200, ""},
		{http.MethodPut, "manifests/latest", 201, ""},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			folder := t.TempDir()
			engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Docker-Content-Digest", now.String())
				w.WriteHeader(test.status)
			})
			open(t, folder).Reads(engine, "/p/").ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(test.method, "/p/v2/team/app/"+test.path, nil))
			got := shown(t, folder)[0]
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestFollow(t *testing.T) {
	folder := t.TempDir()
	l := open(t, folder)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- Show(ctx, folder, in, true)
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	for _, tag := range []string{"1", "2"} {
		l.Observe(t.Context(), push(tag, before))
		if !lines.Scan() || !strings.Contains(lines.Text(), `"tag":"`+tag+`"`) {
			t.Fatalf("%s: %v", lines.Text(), lines.Err())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
