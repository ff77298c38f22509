package enginestore

import (
	"context"
	"errors"
	"io"
	"net/http"
	gopath "path"
	"strconv"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

type uploadKey struct{}

// Upload is a request about an upload, which it may end.
func Upload(r *http.Request) (*http.Request, *Ending) {
	ending := &Ending{last: r.Method == http.MethodPut, Looked: func(digest.Digest) {}}
	return r.WithContext(context.WithValue(r.Context(), uploadKey{}, ending)), ending
}

// Lasting makes the request that ends an upload independent of its client once all of its body has arrived.
// Were it cut off then, the client would find an upload that is neither under way nor a blob. The caller must
// call ended.
func Lasting(r *http.Request) (lasting *http.Request, ended func()) {
	client := r.Context()
	ctx, cancel := context.WithCancel(context.WithoutCancel(client))
	stop := context.AfterFunc(client, cancel)
	lasting = r.WithContext(ctx)
	lasting.Body = lastBody{r.Body, func(err error) {
		if errors.Is(err, io.EOF) {
			stop()
		} else if client.Err() != nil {
			// The engine checks right away whether the client has gone.
			cancel()
		}
	}}
	return lasting, cancel
}

// lastBody reports the error that ends it.
type lastBody struct {
	io.ReadCloser
	ended func(err error)
}

func (b lastBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.ended(err)
	}
	return n, err
}

// Ending is what is known about a request's upload.
type Ending struct {
	// Replaced says that something else stood in the blob's place.
	Replaced bool
	// Unverified is the folder of an upload whose comparison with its digest has not succeeded. The engine looks
	// for the blob's place only after they agree.
	Unverified string
	// Looked is called before the engine looks whether a blob is there already.
	Looked func(d digest.Digest)

	size  int64
	known bool
	// last is set when no request is to come after this one.
	last bool
	// sum is the sum of what this request sent. It is held here until the bytes are stored.
	sum file
	// found is the sum of what earlier requests sent.
	found file
	// writer writes the bytes.
	writer *writer
}

// Done must be called when the request has ended.
func (u *Ending) Done() {
	if u.writer != nil {
		u.writer.end()
	}
}

// identified is a driver's writer that knows which bytes the store has. If several servers write
// at once, these may differ from the bytes that were summed.
type identified interface{ Identity() string }

// place is the path at which a sum is stored that the engine writes to the given path. Servers of older versions
// do not find it there, and read the bytes instead.
func (u *Ending) place(path string) string {
	if writer, ok := u.writer.FileWriter.(identified); ok {
		return path + "-" + writer.Identity()
	}
	return path
}

// keepSum stores the sum once all bytes that it covers are stored. Otherwise, if bytes were lost, those that a
// client sends in their place would be taken for them. The engine would store it earlier: at the beginning, when
// there is nothing to sum yet, twice at the end of each request, and before it deletes the upload. If the engine
// finds no sum, it reads the stored bytes again.
func (u *Ending) keepSum() error {
	offset, ok := layout.SumOf(u.sum.path)
	if !ok || u.last || offset == "0" || offset != strconv.FormatInt(u.writer.Size(), 10) {
		return nil
	}
	return u.writer.store.PutContent(u.writer.ctx, u.place(u.sum.path), u.sum.content)
}

// findSum looks for the sum of all stored bytes. Its folder has one sum for each earlier request, and the engine
// lists them all to continue from that one.
func (u *Ending) findSum(ctx context.Context, store storagedriver.StorageDriver, folder string) ([]string, error) {
	path := gopath.Join(folder, strconv.FormatInt(u.writer.Size(), 10))
	sum, err := store.GetContent(ctx, u.place(path))
	if layout.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u.found = file{path, sum}
	return []string{path}, nil
}
