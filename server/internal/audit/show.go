package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// lookAgain is how long those who follow wait for new lines.
const lookAgain = 500 * time.Millisecond

// mostOfLine is more than any line has.
const mostOfLine = 16 << 10

// Show writes the record of a folder to out, the oldest lines first, and then what is added
// until ctx ends, if follow is set. It leaves out what is left of lines that were not written
// whole, as nothing that reads JSON gets past them.
func Show(ctx context.Context, folder string, out io.Writer, follow bool) error {
	s := &shower{folder: folder, out: out, shown: map[string]int64{}}
	if err := s.showNew(); err != nil || !follow {
		return err
	}
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := s.showNew(); err != nil {
				return err
			}
		}
	}
}

// shower knows how much of each file it has shown. Several servers may add to several files.
type shower struct {
	folder string
	out    io.Writer
	shown  map[string]int64
}

func (s *shower) showNew() error {
	names, err := files(s.folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.showFile(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *shower) showFile(name string) error {
	file, err := os.Open(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		// The oldest one went.
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(s.shown[name], io.SeekStart); err != nil {
		return err
	}
	for lines := bufio.NewReaderSize(file, mostOfLine); ; {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			// What has no end yet may get one.
			return nil
		}
		s.shown[name] += int64(len(line))
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if !json.Valid(line) {
			continue
		}
		if _, err := s.out.Write(line); err != nil {
			return err
		}
	}
}
