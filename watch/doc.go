// Package watch notices that configuration files have changed.
package watch
