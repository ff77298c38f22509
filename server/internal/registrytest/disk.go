package registrytest

import (
	"os"
	"syscall"
	"testing"
)

// SmallDisk mounts a separate disk on a folder until the test ends; options of tmpfs say how small it is.
func SmallDisk(t testing.TB, folder, options string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	if err := syscall.Mount("test", folder, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
