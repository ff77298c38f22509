package gcs

import (
	"strings"

	"container-registry/server/internal/storage/options"
)

const (
	// step is the unit of size for the requests of an upload: all but the last must be a multiple of it.
	step = 256 << 10

	defaultChunkSize      = 16 << 20
	defaultMaxConcurrency = 50
)

// Options are what the configuration has under storage.gcs.
type Options struct {
	Bucket         string            `yaml:"bucket" option:"required"`
	KeyFile        string            `yaml:"keyfile"`
	Credentials    map[string]string `yaml:"credentials" option:"secret"`
	RootDirectory  string            `yaml:"rootdirectory"` // without a slash at either end, once it is read
	ChunkSize      int               `yaml:"chunksize" option:"least=262144"`
	MaxConcurrency int               `yaml:"maxconcurrency" option:"least=25"`
	UserAgent      string            `yaml:"useragent"`
}

// parseParameters checks raw and reports everything wrong with it at once.
func parseParameters(raw map[string]any) (*Options, error) {
	p := &Options{ChunkSize: defaultChunkSize, MaxConcurrency: defaultMaxConcurrency}
	problems := options.Read("gcs", raw, p)
	p.RootDirectory = strings.Trim(p.RootDirectory, "/")
	if p.ChunkSize%step != 0 {
		problems.Add("chunksize", "must be a multiple of %d", step)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Check says what is wrong with the options. It sends no requests.
func Check(raw map[string]any) error {
	_, err := parseParameters(raw)
	return err
}
