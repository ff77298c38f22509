package htpasswd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
)

func open(t testing.TB, content string) (*Source, string, *bytes.Buffer) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "htpasswd")
	write(t, file, content)
	lines := &bytes.Buffer{}
	log := logrus.New()
	log.SetOutput(lines)
	s, err := Open(file, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	return s, file, lines
}

func write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "htpasswd"), nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no file: %v", err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	write(t, file, "bob:plain")
	if _, err := Open(file, nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("wrong file: %v", err)
	}
}

// TestNextRequest is the promise: what was written is in force at once, however it was
// written and whatever the time stamps say.
func TestNextRequest(t *testing.T) {
	old, fresh := "alice:"+hash(t, "x")+"\n", "carol:"+hash(t, "x")+"\n"
	epoch := time.Unix(0, 0)
	tests := []struct {
		name    string
		replace func(t *testing.T, file string)
	}{
		{"written in place", func(t *testing.T, file string) { write(t, file, fresh) }},
		{"renamed over", func(t *testing.T, file string) {
			write(t, file+".new", fresh)
			if err := os.Rename(file+".new", file); err != nil {
				t.Fatal(err)
			}
		}},
		{"with the same size and time, as docker cp does", func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			write(t, file, fresh)
			if err := os.Chtimes(file, epoch, epoch); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		for _, settle := range []bool{false, true} {
			name := test.name + ", right after another change"
			if settle {
				name = test.name
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, file, _ := open(t, old)
				if err := os.Chtimes(file, epoch, epoch); err != nil {
					t.Fatal(err)
				}
				for settle && s.current.Load().stamp == (reading{}).stamp {
					s.Users()
					time.Sleep(10 * time.Millisecond)
				}
				test.replace(t, file)
				if users := s.Users(); users.Known("alice") || !users.Known("carol") {
					t.Error("the former users are in force")
				}
			})
		}
	}
}

func TestFormerUsersStay(t *testing.T) {
	old := withSum("alice:" + hash(t, "x") + "\n")
	fresh := withSum("carol:" + hash(t, "x") + "\n")
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"gone", func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
		{"truncated", func(t *testing.T, file string) { write(t, file, "") }, "the file holds no users"},
		{"half written", func(t *testing.T, file string) { write(t, file, fresh[:len(fresh)-10]) }, "the file is incomplete"},
		{"wrong", func(t *testing.T, file string) { write(t, file, "carol:plain") }, "is not bcrypt"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, file, lines := open(t, old)
			test.spoil(t, file)
			for range 5 {
				if !s.Users().Known("alice") {
					t.Fatal("alice is gone")
				}
			}
			if log := lines.String(); strings.Count(log, "level=error") != 1 || !strings.Contains(log, test.want) {
				t.Errorf("want one error with %q, got %s", test.want, log)
			}
			write(t, file, fresh)
			if users := s.Users(); users.Known("alice") || !users.Known("carol") {
				t.Error("the repaired file is not in force")
			}
		})
	}
}

// TestConcurrentRotation writes the file piece by piece under many readers: each must
// see the whole of one state.
func TestConcurrentRotation(t *testing.T) {
	states := make([]string, 20)
	pair := hash(t, "x")
	for i := range states {
		name := string(rune('a' + i))
		states[i] = withSum(name + "1:" + pair + "\n" + name + "2:" + pair + "\n")
	}
	s, file, _ := open(t, states[0])
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				users, whole := s.Users(), 0
				for i := range states {
					name := string(rune('a' + i))
					if users.Known(name+"1") && users.Known(name+"2") && len(users.hashes) == 2 {
						whole++
					}
				}
				if whole != 1 {
					t.Errorf("a mixture of states: %d users", len(users.hashes))
					return
				}
			}
		})
	}
	for _, state := range states {
		for end := 0; end <= len(state); end += len(state) / 4 {
			write(t, file, state[:end])
		}
		write(t, file, state)
		if got := s.Users(); got.Sum() != sumOf(t, state) {
			t.Fatal("a complete file is not in force on the next request")
		}
	}
	close(done)
	readers.Wait()
}

func sumOf(t testing.TB, content string) [32]byte {
	t.Helper()
	users, err := Parse([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return users.Sum()
}

func BenchmarkUsers(b *testing.B) {
	s, _, _ := open(b, "alice:"+hash(b, "x"))
	for s.current.Load().stamp == (reading{}).stamp {
		s.Users()
		time.Sleep(10 * time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Users()
	}
}
