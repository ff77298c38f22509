package ownership

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestHandOver(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "docker", "registry"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "docker", "registry", "blob"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(folder, "docker", "registry", "link")); err != nil {
		t.Fatal(err)
	}
	mine := uint32(os.Getuid())

	for name, test := range map[string]struct {
		user uint32
		want []string
	}{
		"another owner": {mine + 1, []string{".", "docker", "docker/registry", "docker/registry/blob", "docker/registry/link"}},
		"same owner":    {mine, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := handOver(context.Background(), folder, test.user, func(path string, uid, gid int) error {
				relative, err := filepath.Rel(folder, path)
				got = append(got, relative)
				if uint32(uid) != test.user || uint32(gid) != test.user {
					t.Errorf("%s given to %d:%d, want %d", relative, uid, gid, test.user)
				}
				return err
			}, false)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("handed over %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestHandOverOfALink has a link in the folder to a file that is not the registry's.
func TestHandOverOfALink(t *testing.T) {
	folder, outside := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	planted := filepath.Join(folder, "docker", "registry", "blob")
	if err := os.MkdirAll(filepath.Dir(planted), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(outside, planted); err != nil {
		t.Fatal(err)
	}
	err := handOver(context.Background(), folder, uint32(os.Getuid())+1, func(path string, _, _ int) error {
		if path == planted {
			t.Error("it was handed over")
		}
		return nil
	}, false)
	if err == nil || !strings.Contains(err.Error(), planted) {
		t.Error(err)
	}
}

// TestHandOverOfAFolderOfOthers has folders that are not the registry's alone, of which nothing may be handed over.
func TestHandOverOfAFolderOfOthers(t *testing.T) {
	mine := uint32(os.Getuid())
	for name, test := range map[string]struct {
		user    uint32
		entries []string
		want    string
	}{
		"empty":               {mine + 1, nil, ""},
		"a registry's":        {mine + 1, []string{"container-registry-collection", "docker/registry", "lost+found", "scheduler-state.json"}, ""},
		"that of the engine":  {mine + 1, []string{"docker/registry", "docker/nextcloud"}, `("docker")`},
		"those of stacks":     {mine + 1, []string{"container-registry-dev"}, `("container-registry-dev")`},
		"somebody's":          {mine + 1, []string{"docker", "docker.old"}, `("docker.old")`},
		"a system's":          {mine + 1, []string{"a", "b", "c", "d", "docker"}, `("a", "b", "c", …)`},
		"handed over already": {mine, []string{"docker", "notes"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for _, each := range test.entries {
				if err := os.MkdirAll(filepath.Join(folder, each), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			given := 0
			err := handOver(context.Background(), folder, test.user, func(string, int, int) error { given++; return nil }, false)
			refused := err != nil && test.want != "" && strings.Contains(err.Error(), test.want) && given == 0
			if !refused && (err != nil || test.want != "") {
				t.Errorf("got %v, and %d handed over; want %q", err, given, test.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	folder := t.TempDir()
	if err := Check(context.Background(), folder); err != nil {
		t.Error(err)
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(context.Background(), file); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Error(err)
	}
}

// TestCheckOfWhatCannotBeGiven has a folder whose owner can be read but not changed.
func TestCheckOfWhatCannotBeGiven(t *testing.T) {
	folder := t.TempDir()
	for name, test := range map[string]struct {
		refused error
		want    string
	}{
		"read-only":    {syscall.EROFS, "read-only file system"},
		"userns-remap": {syscall.EPERM, "give the folder and all in it to user and group 65532"},
	} {
		t.Run(name, func(t *testing.T) {
			err := handOver(context.Background(), folder, User, func(path string, uid, gid int) error {
				if uid != os.Getuid() || gid != os.Getgid() {
					t.Errorf("%s given to %d:%d", path, uid, gid)
				}
				return &os.PathError{Op: "lchown", Path: path, Err: test.refused}
			}, true)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestHandOverStops(t *testing.T) {
	refused := errors.New("refused")
	err := handOver(context.Background(), t.TempDir(), uint32(os.Getuid())+1, func(string, int, int) error { return refused }, false)
	if !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := HandOver(ctx, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := HandOver(context.Background(), filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}

// TestHandOverWithinAStore has folders of a store that belong to the server's user already because another registry uses it.
func TestHandOverWithinAStore(t *testing.T) {
	mine := uint32(os.Getuid())
	store := t.TempDir()
	blob := strings.Repeat("0123456789abcdef", 4)
	for _, folder := range []string{"blobs/sha256/01/" + blob, "repositories/app/_manifests", "repositories/team/app/_layers"} {
		if err := os.MkdirAll(filepath.Join(store, "docker/registry/v2", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for folder, within := range map[string]bool{
		".":                                   false,
		"docker":                              true,
		"docker/registry":                     true,
		"docker/registry/v2":                  true,
		"docker/registry/v2/blobs":            true,
		"docker/registry/v2/blobs/sha256":     true,
		"docker/registry/v2/blobs/sha256/01":  true,
		"docker/registry/v2/repositories":     true,
		"docker/registry/v2/repositories/app": true,
	} {
		t.Run(folder, func(t *testing.T) {
			// It is within a store even if another user owns that.
			for _, user := range []uint32{mine, mine + 1} {
				err := handOver(context.Background(), filepath.Join(store, folder), user, func(string, int, int) error { return nil }, false)
				if within != (err != nil && strings.Contains(err.Error(), "lies within the store of a registry")) {
					t.Errorf("for user %d: got %v; want an error: %t", user, err, within)
				}
			}
		})
	}
}
