package store

import (
	"context"
	"io"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/walk"
)

// breaking has no driver below it, and so panics at every call, as a driver does on an answer that
// lacks what the driver takes for granted.
type breaking struct{ storagedriver.StorageDriver }

func (breaking) Name() string { return "gcs" }

// opening panics only when its writer is used.
type opening struct{ breaking }

func (opening) Writer(context.Context, string, bool) (storagedriver.FileWriter, error) {
	return struct{ storagedriver.FileWriter }{}, nil
}

type listing struct{ breaking }

func (listing) Files(context.Context, string, func(storagedriver.FileInfo) error) error {
	panic("no list")
}

func TestSteady(t *testing.T) {
	writing := func(do func(context.Context, storagedriver.FileWriter) error) func(context.Context, storagedriver.StorageDriver) error {
		return func(ctx context.Context, _ storagedriver.StorageDriver) error {
			writer, err := Steady(opening{}).Writer(ctx, "/a", false)
			if err != nil {
				t.Fatal(err)
			}
			return do(ctx, writer)
		}
	}
	for name, do := range map[string]func(context.Context, storagedriver.StorageDriver) error{
		"get": func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.GetContent(ctx, "/a")
			return err
		},
		"put": func(ctx context.Context, d storagedriver.StorageDriver) error { return d.PutContent(ctx, "/a", nil) },
		"stat": func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.Stat(ctx, "/a")
			return err
		},
		"list": func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.List(ctx, "/a")
			return err
		},
		"move":   func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Move(ctx, "/a", "/b") },
		"delete": func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Delete(ctx, "/a") },
		"walk":   func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Walk(ctx, "/a", nil) },
		"reader": func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.Reader(ctx, "/a", 0)
			return err
		},
		"writer": func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.Writer(ctx, "/a", false)
			return err
		},
		"files": func(ctx context.Context, _ storagedriver.StorageDriver) error {
			return Steady(listing{}).(walk.Lister).Files(ctx, "/a", nil)
		},
		"write": writing(func(_ context.Context, w storagedriver.FileWriter) error {
			_, err := io.WriteString(w, "a")
			return err
		}),
		"commit": writing(func(ctx context.Context, w storagedriver.FileWriter) error { return w.Commit(ctx) }),
		"cancel": writing(func(ctx context.Context, w storagedriver.FileWriter) error { return w.Cancel(ctx) }),
		"close":  writing(func(_ context.Context, w storagedriver.FileWriter) error { return w.Close() }),
	} {
		t.Run(name, func(t *testing.T) {
			err := do(t.Context(), Steady(breaking{}))
			if err == nil || !strings.HasPrefix(err.Error(), "its driver cannot read the answer, at ") || !storeOf("gcs").Away(err) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := Steady(listing{}).(walk.Lister).Files(t.Context(), "/a", nil); !strings.Contains(err.Error(), "at steady_test.go:") || !strings.HasSuffix(err.Error(), ": no list") {
		t.Errorf("it is not told where that was: %v", err)
	}
	if _, ok := Steady(breaking{}).(walk.Lister); ok {
		t.Error("it says that it lists files")
	}
}
