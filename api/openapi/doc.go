// Package openapi holds the OpenAPI 3.1 description of the whole API and serves
// it as one JSON document.
//
// The description is written by hand, in the files of the folder spec. They are
// parts of one document: their maps are merged, and nothing may be said twice. A
// reference always starts with "#/components/".
//
// What an operation may refuse is written shorter than OpenAPI would have it:
//
//	x-error-groups: [server, user, body]
//	x-errors:
//	  "422":
//	    same_password:
//	    weak_password: Only where the project has a policy.
//	x-oauth-errors:
//	  "400":
//	    invalid_grant:
//
// Each group stands for the errors that it lists under x-error-groups of
// errors.yaml. A code without a sentence of its own gets that of x-error-codes
// or x-oauth-error-codes in error-codes.yaml. [Document] makes responses of
// them, and leaves the codes in the response under x-error-codes and
// x-oauth-error-codes, where package check looks them up.
//
// OpenAPI has no path that stands for all below it. Where every path below one
// answers alike, whatever the method, x-other-paths describes that: it maps the
// upper path to what an operation would say of errors and responses. Paths that
// are described by themselves go first.
//
// For package check alone, x-ignores-other-parameters and x-may-ignore-body say
// of an operation that it grants requests with a query or body that is not
// described.
package openapi
