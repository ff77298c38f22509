package oss

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// walkBatch is the number of keys up to which a folder is read in one go, with
// everything below it. Larger folders are taken apart into their children first.
const walkBatch = 10 * pageSize

// Walk visits everything below from, folders before their contents, in the
// order of path components. The catalog of the registry depends on that order,
// and it is not the order of OSS: there "a-b/x" comes before "a/x".
//
// A request per folder would make garbage collection crawl, since every blob
// has a folder of its own. So small folders are listed flat and sorted here.
func (d *driver) Walk(ctx context.Context, from string, f storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	var o storagedriver.WalkOptions
	for _, option := range options {
		option(&o)
	}
	w := walk{ctx: ctx, d: d, visit: f, after: o.StartAfterHint, batch: walkBatch}
	return w.run(from)
}

func (w *walk) run(from string) error {
	if w.after != "" && !within(w.after, from) && comparePaths(w.after, from) > 0 {
		return nil
	}
	err := w.folder(from)
	switch {
	case errors.Is(err, storagedriver.ErrFilledBuffer):
		return nil
	case err == nil && !w.found && from != "/":
		return storagedriver.PathNotFoundError{Path: from}
	}
	return err
}

// comparePaths orders paths by component: a separator sorts before all else.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// within tells whether path is folder or lies in it.
func within(path, folder string) bool {
	return folder == "/" || path == folder || strings.HasPrefix(path, folder+"/")
}

type walk struct {
	ctx   context.Context
	d     *driver
	visit storagedriver.WalkFn
	after string // start after this path, if set
	batch int    // how many keys of a folder to read at most
	found bool   // anything at all
}

// folder visits everything in a folder, but not the folder itself.
func (w *walk) folder(path string) error {
	if w.after == "" || !within(w.after, path) || w.after == path {
		files, complete, err := w.read(path)
		if err != nil {
			return err
		}
		if complete {
			return w.files(path, files)
		}
	}
	return w.children(path)
}

// read lists the files in and below a folder, unless there are too many.
func (w *walk) read(path string) (files []storagedriver.FileInfoFields, complete bool, err error) {
	for page, err := range w.d.pages(w.ctx, w.d.folder(path), "") {
		if err != nil {
			return nil, false, err
		}
		files = w.d.appendFiles(files, page)
		if len(files) >= w.batch && page.IsTruncated {
			return nil, false, nil
		}
	}
	sortByPath(files)
	return files, true, nil
}

func sortByPath(infos []storagedriver.FileInfoFields) {
	slices.SortFunc(infos, func(a, b storagedriver.FileInfoFields) int { return comparePaths(a.Path, b.Path) })
}

func (d *driver) appendFiles(files []storagedriver.FileInfoFields, page *oss.ListObjectsV2Result) []storagedriver.FileInfoFields {
	for _, object := range page.Contents {
		if key := oss.ToString(object.Key); isFile(key) {
			info := storagedriver.FileInfoFields{Path: d.path(key), Size: object.Size}
			if object.LastModified != nil {
				info.ModTime = *object.LastModified
			}
			files = append(files, info)
		}
	}
	return files
}

// files visits sorted files and, before the first file in each, the folders
// between them and root.
func (w *walk) files(root string, files []storagedriver.FileInfoFields) error {
	base := strings.TrimSuffix(root, "/")
	open, skipped := base, ""
	for _, file := range files {
		if skipped != "" && within(file.Path, skipped) {
			continue
		}
		skip := false
		for _, folder := range foldersBetween(base, file.Path) {
			if within(open, folder) {
				continue
			}
			open = folder
			err := w.call(storagedriver.FileInfoFields{Path: folder, IsDir: true})
			if errors.Is(err, storagedriver.ErrSkipDir) {
				skipped, skip = folder, true
				break
			}
			if err != nil {
				return err
			}
		}
		if skip {
			continue
		}
		if err := w.call(file); err != nil && !errors.Is(err, storagedriver.ErrSkipDir) {
			return err
		}
	}
	return nil
}

// foldersBetween lists the folders of path below base, outermost first.
func foldersBetween(base, path string) []string {
	var folders []string
	for i := len(base) + 1; i < len(path); i++ {
		if path[i] == '/' {
			folders = append(folders, path[:i])
		}
	}
	return folders
}

// children visits what is directly in a folder, and goes into its folders.
func (w *walk) children(path string) error {
	var entries []storagedriver.FileInfoFields
	for page, err := range w.d.pages(w.ctx, w.d.folder(path), "/") {
		if err != nil {
			return err
		}
		entries = w.d.appendFiles(entries, page)
		for _, folder := range page.CommonPrefixes {
			entries = append(entries, storagedriver.FileInfoFields{
				Path: w.d.path(strings.TrimSuffix(oss.ToString(folder.Prefix), "/")), IsDir: true,
			})
		}
	}
	sortByPath(entries)
	for _, entry := range entries {
		w.found = true
		if w.after != "" && comparePaths(entry.Path, w.after) <= 0 {
			// The entry is before the start. Only what is inside it can be after the start.
			if entry.IsDir && within(w.after, entry.Path) {
				if err := w.folder(entry.Path); err != nil {
					return err
				}
			}
			continue
		}
		err := w.call(entry)
		if errors.Is(err, storagedriver.ErrSkipDir) {
			continue
		}
		if err == nil && entry.IsDir {
			err = w.folder(entry.Path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) call(info storagedriver.FileInfoFields) error {
	w.found = true
	return w.visit(storagedriver.FileInfoInternal{FileInfoFields: info})
}
