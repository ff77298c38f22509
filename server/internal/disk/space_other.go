//go:build !linux

package disk

import "errors"

func spaceOf(string) (Space, error) { return Space{}, errors.ErrUnsupported }
