// Package gcs gives the engine's driver of Google Cloud Storage what it lacks: it believes Google
// alone, says what it could not find out, looks at what it uploaded, and takes any folder.
package gcs

import (
	"net/http"
	"reflect"

	"cloud.google.com/go/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	engine "github.com/distribution/distribution/v3/registry/storage/driver/gcs"
)

// Complete changes the engine's driver, and leaves one of tests as it is.
//
// The engine makes the driver and its clients by itself and takes none from others, so they are found
// by the names of their fields. Ours is below what limits and measures all drivers.
func Complete(made storagedriver.StorageDriver) storagedriver.StorageDriver {
	wrapper, ok := made.(*engine.Wrapper)
	if !ok {
		return made
	}
	limited := reflect.ValueOf(wrapper.StorageDriver).Elem().FieldByName("StorageDriver")
	if _, done := limited.Interface().(driver); done {
		return made
	}
	inner := limited.Elem().Elem()
	bucket := inner.FieldByName("bucket")

	sessions := (*http.Client)(inner.FieldByName("client").UnsafePointer())
	sessions.Transport = uploads{answers{sessions.Transport}}
	objects := (*http.Client)(bucket.Elem().FieldByName("c").Elem().FieldByName("tc").Elem().Elem().FieldByName("hc").UnsafePointer())
	objects.Transport = answers{objects.Transport}

	limited.Set(reflect.ValueOf(driver{
		StorageDriver: limited.Interface().(storagedriver.StorageDriver),
		bucket:        (*storage.BucketHandle)(bucket.UnsafePointer()),
		root:          inner.FieldByName("rootDirectory").String(),
	}))
	return made
}
