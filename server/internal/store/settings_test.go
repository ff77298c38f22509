package store_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/config"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/store"
)

// TestSettings reports this server's complaint about each of many configurations, a JSON text in each line of a
// file: test/integration/settings.test.ts compares the complaints with the package's own checks.
// No store is asked.
func TestSettings(t *testing.T) {
	given, answers := os.Getenv("SETTINGS"), os.Getenv("SETTINGS_ANSWERS")
	if given == "" {
		t.Skip("SETTINGS names no file")
	}
	in, err := os.Open(given)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(answers)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	encoder := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var file string
		if err := json.Unmarshal(lines.Bytes(), &file); err != nil {
			t.Fatal(err)
		}
		if err := encoder.Encode(complaint(t, file)); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// complaint is empty for a configuration that the server accepts.
func complaint(t *testing.T, file string) string {
	c, err := config.Read(strings.NewReader(file), "configuration")
	if err != nil {
		return err.Error()
	}
	if err := guard.Fits(c.Configuration, bounds.Memory()); err != nil {
		return err.Error()
	}
	switch c.Storage.Type() {
	case "oss", "swift":
		// These drivers ask their store at once. Complaints about their options came up before.
		return ""
	case "gcs":
		// Without credentials, the driver looks for the identity of the machine.
		if c.Storage.Parameters()["credentials"] == nil {
			return ""
		}
	}
	if _, err := store.Of(c.Configuration).Open(t.Context()); err != nil {
		return err.Error()
	}
	return ""
}
