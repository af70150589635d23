// Package parquet writes enriched datasets as Parquet files and lets decode
// read Parquet files, our own and those of others.
//
// It stands apart because its library is as large as all else that the browser
// loads: programs that want Parquet hand Format to decode.Read, and the others
// are not linked with it.
package parquet
