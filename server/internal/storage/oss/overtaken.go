package oss

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"container-registry/server/internal/layout"
)

// unchanged fails if the record is not the one that was read or written last.
// A writer that was held up would otherwise bring back an upload that has
// become a blob.
func (w *writer) unchanged(ctx context.Context) error {
	if !w.recorded {
		return nil
	}
	record, err := w.d.head(ctx, w.key+recordSuffix)
	if isMissing(err) {
		return layout.ErrOvertaken
	}
	if err != nil {
		return err
	}
	if record.Metadata[metaUploadID] != w.savedUpload || record.Metadata[metaOffset] != strconv.FormatInt(w.savedOffset, 10) ||
		record.ContentLength != int64(w.savedTail) {
		return layout.ErrOvertaken
	}
	return nil
}

// overtaken adds layout.ErrOvertaken to a refusal that is due to another writer.
func overtaken(err error) error {
	for _, code := range []string{"NoSuchUpload", "InvalidPart", "FileAlreadyExists"} {
		if hasCode(err, code) {
			return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
		}
	}
	return err
}

// Move moves the object that Commit has made.
func (w *writer) Move(ctx context.Context, from, to string) error {
	err := w.d.move(ctx, w.d.key(from), w.d.key(to), version{w.etag, w.Size()})
	if isMissing(err) || hasCode(err, "PreconditionFailed") {
		return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
	}
	return err
}

// Identity identifies the bytes that are in the bucket. Writers of one upload
// give its parts the same numbers, and the part that was sent last stays.
func (w *writer) Identity() string { return w.identity }

func (w *writer) identify() {
	sum := md5.New()
	fmt.Fprintln(sum, w.uploadID)
	for _, p := range w.parts {
		fmt.Fprintln(sum, p.number, strings.ToLower(strings.Trim(p.etag, `"`)))
	}
	sum.Write(w.buf)
	w.identity = hex.EncodeToString(sum.Sum(nil))
}
