package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// timeOfName is the format of the time in a file's name, that of its first line, so that files sort in order.
const timeOfName = "20060102T150405.000000000Z"

// nameAfter returns the name of a file that comes after all others, even if the clock is behind them.
func nameAfter(names []string, kind kind, now time.Time) string {
	if len(names) > 0 {
		last, err := time.Parse(timeOfName, strings.TrimSuffix(names[len(names)-1], string(kind)))
		if err == nil && !now.After(last) {
			now = last.Add(1)
		}
	}
	return now.UTC().Format(timeOfName) + string(kind)
}

// files returns the names of the files of a kind in a folder, the oldest first.
func files(folder string, kind kind) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, each := range entries {
		stem, found := strings.CutSuffix(each.Name(), string(kind))
		if _, err := time.Parse(timeOfName, stem); found && err == nil && each.Type().IsRegular() {
			names = append(names, each.Name())
		}
	}
	return names, nil
}

func openFile(folder, name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
}

// endsTorn says whether a file ends in the middle of a line, because a server was killed or the disk was full.
func endsTorn(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return last[0] != '\n', err
}

func remove(folder string, names []string) error {
	var all []error
	for _, name := range names {
		// Another server may have been first.
		if err := os.Remove(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}
