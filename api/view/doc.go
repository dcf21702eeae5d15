// Package view holds the JSON of the objects that several routes answer with.
// A model is never the wire format.
package view
