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

// unchanged says whether the record is the one that was read or written last.
// One that was held up would bring back an upload that has become a blob.
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

// overtaken is of a refusal that tells of another writer.
func overtaken(err error) error {
	for _, code := range []string{"NoSuchUpload", "InvalidPart", "FileAlreadyExists"} {
		if hasCode(err, code) {
			return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
		}
	}
	return err
}

// Move is of what Commit has made.
func (w *writer) Move(ctx context.Context, from, to string) error {
	err := w.d.move(ctx, w.d.key(from), w.d.key(to), version{w.etag, w.Size()})
	if isMissing(err) || hasCode(err, "PreconditionFailed") {
		return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
	}
	return err
}

// Identity tells the bytes that are in the bucket from others. Writers of one
// upload give its parts the same numbers, and the last one's stays.
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
