// Package listing finds where the pages of large lists begin, and how long the
// lists are, without counting them for each page (docs/adr/0009).
//
// A list of up to [exactUpTo] rows is counted each time. A longer one is
// surveyed in the background: the place of every thousandth row is remembered,
// so that a page is at most that far from a place that an index leads to, and
// the total is the number of places and the rows that came since.
package listing
