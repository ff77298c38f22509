package disk

import "golang.org/x/sys/unix"

func spaceOf(path string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Space{}, err
	}
	block := uint64(s.Frsize)
	return Space{s.Blocks * block, s.Bavail * block, s.Files, s.Ffree}, nil
}
