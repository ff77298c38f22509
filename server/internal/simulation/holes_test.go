//go:build holes

package simulation

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestHoles takes out one repair at a time, and expects the search to find the hole.
func TestHoles(t *testing.T) {
	found := regexp.MustCompile(`after (\d+) schedules`)
	for _, test := range repairs() {
		t.Run(test.name, func(t *testing.T) {
			out, err := exec.Command("go", "test", "-overlay", overlay(t, test.edits), ".", "-run", "TestSearch", "-for", "10m", "-timeout", "20m").CombinedOutput()
			if strings.Contains(string(out), "build failed") {
				t.Fatalf("%s", out)
			}
			schedules := found.FindSubmatch(out)
			if err == nil || schedules == nil {
				t.Fatalf("not found: %s", out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Logf("found after %s schedules: %s", schedules[1], strings.Join(lines[max(0, len(lines)-4):], "\n"))
		})
	}
}
