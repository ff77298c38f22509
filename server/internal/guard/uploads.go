package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fair"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// Shares of the server's memory, in per cent: for uploads, and for those that are read once more.
// Uploads without a body have a quarter of theirs beside it, and one of each has a place in any case.
const (
	share          = 40
	shareOfRereads = 10
)

// reread is what the engine holds of an upload that it reads once more before it is a blob: one
// that was resumed elsewhere, or has a digest that is not SHA-256.
const reread = 4 << 20

// longestWait for a place is about how long clients wait for an answer.
const longestWait = 5 * time.Minute

var errBusy = errors.New("too many uploads at once")

// buffering is how much of an upload a driver holds in memory: by default it collects a
// chunk, and that takes so many per cent of it.
type buffering struct {
	chunk, percent int64
}

// bufferings are those of the drivers that send uploads in chunks. S3's grows its buffer by
// doubling; Swift's fills one while another is sent; Google's client has a buffer of its own.
var bufferings = map[string]buffering{
	"s3":    {10 << 20, 220},
	"s3aws": {10 << 20, 220},
	"azure": {4 << 20, 125},
	"gcs":   {16 << 20, 210},
	"swift": {16 << 20, 205},
	"oss":   {10 << 20, 150},
}

// of is what one upload takes with a store's parameters.
func (b buffering) of(parameters configuration.Parameters) int64 {
	return b.chunkOf(parameters) * b.percent / 100
}

// largest is the largest chunk of which an upload has room in so much memory, or the usual one,
// for which the rest of the memory has to do. Google takes multiples of the step.
func (b buffering) largest(memory int64) int64 {
	const step = 256 << 10
	return max(b.chunk, memory*share/b.percent/step*step)
}

func (b buffering) chunkOf(parameters configuration.Parameters) int64 {
	if chunk, err := strconv.ParseInt(fmt.Sprint(parameters["chunksize"]), 0, 64); err == nil {
		return chunk
	}
	return b.chunk
}

// Fits refuses a store's chunk where not even one upload has room in a server with this much
// memory: it would end the server. Nobody uploads to a registry that is read-only. The package has the same in components/checks/storage/chunks.ts.
func Fits(config *configuration.Configuration, memory int64) error {
	storage := config.Storage
	b, ok := bufferings[storage.Type()]
	if !ok || store.Of(config).ReadOnly() {
		return nil
	}
	chunk, largest := b.chunkOf(storage.Parameters()), b.largest(memory)
	if chunk > largest {
		return fmt.Errorf("storage.%s.chunksize: %d is too much for GOMEMLIMIT (1 GiB where it is not set); give %d or less, or more memory", storage.Type(), chunk, largest)
	}
	return nil
}

// places are for uploads that hold memory. Others wait, and their clients with them: what
// they send is not read.
type places struct {
	// bodies may be sent for hours, so a client leaves a place to others. It is nil where
	// uploads hold nothing.
	bodies *fair.Room
	// Requests without a body, which begin and end uploads, are soon done and don't wait
	// for those.
	short, rereads bounds.Places
	wait           time.Duration
}

func placesOf(storage configuration.Storage, memory int64) *places {
	p := &places{rereads: make(bounds.Places, max(1, memory*shareOfRereads/100/reread)), wait: longestWait}
	b, ok := bufferings[storage.Type()]
	if !ok {
		return p
	}
	n := uploadsAtOnce(b.of(storage.Parameters()), memory)
	p.bodies, p.short = fair.NewRoom(n, max(1, n-1)), make(bounds.Places, max(1, n/4))
	return p
}

// uploadsAtOnce is one in any case: the usual chunk may be more than its share.
func uploadsAtOnce(each, memory int64) int64 { return max(1, memory*share/100/each) }

// enter is for an upload of a request, which leaves its place at its end, at the latest.
func (p *places) enter(ctx context.Context) (leave func(), err error) {
	if requestOf(ctx).short {
		return p.take(ctx, p.short.Take, p.short.Leave)
	}
	who := fair.ClientOf(ctx)
	return p.take(ctx,
		func(ctx context.Context) error { return p.bodies.Take(ctx, who, 1) },
		func() { p.bodies.Give(who, 1) })
}

func (p *places) take(ctx context.Context, take func(context.Context) error, give func()) (leave func(), err error) {
	waiting, cancel := context.WithTimeoutCause(ctx, p.wait, errBusy)
	defer cancel()
	r := requestOf(ctx)
	if err := take(waiting); err != nil {
		if errors.Is(err, errBusy) {
			r.refuse(err)
		}
		return nil, err
	}
	leave = sync.OnceFunc(give)
	r.add(leave)
	return leave, nil
}

// bounded has uploads wait for a place. Drivers take memory before there is a byte: buffers
// of their own, or those of uploads before.
type bounded struct {
	storagedriver.StorageDriver
	places *places
}

func (d bounded) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if d.places.bodies == nil {
		return d.StorageDriver.Writer(ctx, path, appendMode)
	}
	leave, err := d.places.enter(ctx)
	if err != nil {
		return nil, err
	}
	writer, err := d.StorageDriver.Writer(ctx, path, appendMode)
	if err != nil {
		leave()
		return nil, err
	}
	return upload{writer, leave}, nil
}

func (d bounded) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	if !layout.IsUpload(path) {
		return d.StorageDriver.Reader(ctx, path, offset)
	}
	leave, err := d.places.take(ctx, d.places.rereads.Take, d.places.rereads.Leave)
	if err != nil {
		return nil, err
	}
	reader, err := d.StorageDriver.Reader(ctx, path, offset)
	if err != nil {
		leave()
		return nil, err
	}
	return readUpload{reader, leave}, nil
}

// readUpload is one that is read once more.
type readUpload struct {
	io.ReadCloser
	leave func()
}

func (u readUpload) Close() error {
	defer u.leave()
	return u.ReadCloser.Close()
}

// upload is one writer of the driver's.
type upload struct {
	storagedriver.FileWriter
	leave func()
}

func (u upload) Close() error {
	defer u.leave()
	return u.FileWriter.Close()
}
