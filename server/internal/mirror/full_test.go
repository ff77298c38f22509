package mirror_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestMirrorDiskFull has somebody else fill the disk of the cache.
func TestMirrorDiskFull(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	disk := filepath.Join(m.folder, "cache")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	registrytest.SmallDisk(t, disk, "size=3m")
	other := filepath.Join(disk, "other")
	fill := func() {
		t.Helper()
		file, err := os.OpenFile(other, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		for err == nil {
			_, err = file.Write(make([]byte, 4<<10))
		}
		if file.Close() != nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
			t.Fatal(err)
		}
	}
	upstream.push.Push(t, "library/app", "next", registrytest.Layer(2, 400_000))
	m.start()
	m.pull()
	list := filepath.Join(disk, "scheduler-state.json")
	m.until("a list", func() bool { _, err := os.Stat(list); return err == nil })

	fill()
	m.pull()
	m.pullTag("next")
	if size := m.size(); !strings.Contains(size, " 3 blobs") || m.uploads() > 0 {
		t.Errorf("it keeps %s, and %d uploads", size, m.uploads())
	}
	// There is room in between for what is smaller than a layer.
	if err := os.Truncate(other, 100<<10); err != nil {
		t.Fatal(err)
	}
	more := filepath.Join(disk, "more")
	if err := os.WriteFile(more, make([]byte, 2700<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	m.pullTag("next")
	for _, content := range []string{"{}", "{"} {
		m.kill()
		if err := os.WriteFile(list, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		fill()
		upstream.away.Store(true)
		m.start()
		m.pull()
		upstream.away.Store(false)
		m.until("an answer", func() bool { status, _ := m.get("manifests/none"); return status == http.StatusNotFound })
		m.pullTag("next")
	}
	m.kill()
	log := m.log.String()
	for _, words := range []string{"is served, and not kept: cannot write to filesystem folder", "the list of what expires cannot be written"} {
		if !strings.Contains(log, words) {
			t.Errorf("the log lacks %q:\n%s", words, log)
		}
	}
	if strings.Contains(log, "no room for it") {
		t.Errorf("the log tells of each blob:\n%s", log)
	}
	for _, file := range []string{other, more} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	m.start()
	m.pullTag("next")
	m.until("all that is kept", func() bool { return strings.Contains(m.size(), " 6 blobs") })
}
