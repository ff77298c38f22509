package trust

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
)

var first, second = []byte("the first CA\n"), []byte("the second CA\n")

// started is a task that has installed its certificates; end waits for its end.
func started(t *testing.T, place Place, certificates []byte) (end func()) {
	t.Helper()
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	before := inodes(place)
	go func() { done <- Keep(ctx, place, certificates, logrus.NewEntry(logger)) }()
	for deadline := time.Now().Add(30 * time.Second); Installed(place, certificates) != nil || reflect.DeepEqual(before, inodes(place)); {
		if time.Now().After(deadline) {
			t.Fatal("nothing was installed")
		}
		time.Sleep(time.Millisecond)
	}
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// inodes distinguishes an old file from a new one with the same content.
func inodes(place Place) (found []any) {
	for _, file := range place.files() {
		info, err := os.Stat(file)
		if err == nil {
			found = append(found, info.Sys())
		}
	}
	return found
}

// tree returns the content of a folder; names of folders end with a slash.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		if entry.IsDir() {
			found[name+"/"] = ""
			return nil
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func expect(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	if got := tree(t, folder); !reflect.DeepEqual(got, want) {
		t.Errorf("there is %q, want %q", got, want)
	}
}

func place(t *testing.T) (docker string, p Place) {
	docker = t.TempDir()
	return docker, Place{Folder: filepath.Join(docker, "certs.d"), Owner: "registry", Addresses: []string{"a.example.com:5000", "localhost:5000"}}
}

func TestInstallsAndTakesAway(t *testing.T) {
	docker, p := place(t)
	end := started(t, p, first)
	expect(t, docker, map[string]string{
		"certs.d/": "", "certs.d/a.example.com:5000/": "", "certs.d/localhost:5000/": "",
		"certs.d/a.example.com:5000/registry.crt": string(first),
		"certs.d/localhost:5000/registry.crt":     string(first),
	})
	end()
	expect(t, docker, map[string]string{})
}

func TestLeavesWhatOthersWrote(t *testing.T) {
	docker, p := place(t)
	own := filepath.Join(p.Folder, "a.example.com:5000", "ca.crt")
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, first, 0o644); err != nil {
		t.Fatal(err)
	}
	end := started(t, p, first)
	// An administrator's change of the file itself counts as well.
	edited := filepath.Join(p.Folder, "localhost:5000", "registry.crt")
	if err := os.WriteFile(edited, second, 0o644); err != nil {
		t.Fatal(err)
	}
	if Installed(p, first) == nil {
		t.Error("a changed file passes the check")
	}
	end()
	expect(t, docker, map[string]string{
		"certs.d/": "", "certs.d/a.example.com:5000/": "", "certs.d/localhost:5000/": "",
		"certs.d/a.example.com:5000/ca.crt":   string(first),
		"certs.d/localhost:5000/registry.crt": string(second),
	})
}

func TestLeavesWhatItsSuccessorInstalled(t *testing.T) {
	for name, certificates := range map[string][]byte{"another CA": second, "the same CA": first} {
		t.Run(name, func(t *testing.T) {
			docker, p := place(t)
			p.Addresses = p.Addresses[:1]
			endFirst := started(t, p, first)
			endSecond := started(t, p, certificates)
			endFirst()
			expect(t, docker, map[string]string{
				"certs.d/": "", "certs.d/a.example.com:5000/": "",
				"certs.d/a.example.com:5000/registry.crt": string(certificates),
			})
			endSecond()
			expect(t, docker, map[string]string{})
		})
	}
}

// TestPredecessorThatEndsMeanwhile takes away the folders that its successor has just made.
func TestPredecessorThatEndsMeanwhile(t *testing.T) {
	_, p := place(t)
	file := p.files()[0]
	ended := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				_ = os.Remove(filepath.Dir(file))
				_ = os.Remove(p.Folder)
			}
		}
	})
	for range 100 {
		if _, err := install(file, first); err != nil {
			t.Error(err)
			break
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	close(ended)
	group.Wait()
}

func TestFailsWithoutTraces(t *testing.T) {
	docker, p := place(t)
	if err := os.MkdirAll(p.Folder, 0o755); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(p.Folder, "localhost:5000")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Keep(t.Context(), p, first, logrus.NewEntry(logrus.New())); err == nil {
		t.Error("no error")
	}
	expect(t, docker, map[string]string{"certs.d/": "", "certs.d/localhost:5000": ""})
}

func TestNamesThatLeadElsewhere(t *testing.T) {
	for _, name := range []string{"", "..", "../etc", "a/b", ".hidden"} {
		if (Place{Owner: name, Addresses: []string{"a"}}).Check() == nil || (Place{Owner: "a", Addresses: []string{name}}).Check() == nil {
			t.Errorf("%q is accepted", name)
		}
	}
	if err := (Place{Owner: "registry", Addresses: []string{"[::1]:5000", "a.example.com:5000"}}).Check(); err != nil {
		t.Error(err)
	}
}
