// Package apierror is GoTrue's error as SDKs read it: an HTTP status, an
// error_code and a sentence, in the two shapes that the request header
// X-Supabase-Api-Version chooses between.
package apierror
