// Types, comments and blank lines do not survive bundling; the source map knows where they were.

type Maybe<T> = T | undefined;


export function check(value: Maybe<number>): number {
  if (value === undefined) {
    throw new Error("a pulse is needed");
  }
  return value;
}
