/**
 * What a Medulla function finds: the event it handles and the context it acts through.
 *
 * ```ts
 * import type { CloudEvent, Context } from "@medulla/functions";
 *
 * export async function handler(event: CloudEvent<Observation>, context: Context) {
 *   await context.notify("on-call", { text: "something happened" });
 *   return { seen: event.id };
 * }
 * ```
 *
 * Every effect returns a promise; several at once run at once. A staged effect that nobody awaits
 * still settles with the run. An effect without its grant rejects with a MedullaError that names
 * the missing grant.
 */

/** Any value JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// ---- Events ----

/** A clinical event, or one that another function emitted: CloudEvents 1.0. */
export interface CloudEvent<Data = any> {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  /** RFC 3339, as the source wrote it. */
  time?: string;
  subject?: string;
  datacontenttype?: string;
  traceparent?: string;
  data: Data;
  /** Extension attributes. */
  [name: string]: unknown;
}

/** One sample of a device: who, when (ms since 1970), which metric, its value. */
export interface Sample {
  dev: string;
  t: number;
  m: string;
  v: number;
  /** When it arrived, ms since 1970. */
  rx?: number;
  seq?: number;
}

/** A batch of device samples, in the order they arrived. */
export type TelemetryEvent = CloudEvent<{ samples: Sample[] }> & { type: "medulla.telemetry" };

/** A request to a route under /fn/: API Gateway's version 2.0. */
export interface HttpEvent {
  version: "2.0";
  routeKey: string;
  rawPath: string;
  rawQueryString: string;
  cookies?: string[];
  headers: { [name: string]: string };
  queryStringParameters?: { [name: string]: string };
  pathParameters?: { [name: string]: string };
  requestContext: {
    http: { method: string; path: string; protocol: string; sourceIp: string; userAgent: string };
    requestId: string;
    routeKey: string;
    stage: string;
    time: string;
    timeEpoch: number;
    [name: string]: unknown;
  };
  body?: string;
  isBase64Encoded: boolean;
}

/** What an HTTP function returns. Anything else is answered as JSON with status 200. */
export interface HttpReply {
  statusCode: number;
  headers?: { [name: string]: string };
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
}

/** Messages of a queue: the shape of SQS. */
export interface QueueEvent {
  Records: {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes: { [name: string]: string };
    messageAttributes: { [name: string]: unknown };
    eventSource: "aws:sqs";
    eventSourceARN: string;
    [name: string]: unknown;
  }[];
}

/** Which messages of a batch failed; the others are done. */
export interface QueueReply {
  batchItemFailures: { itemIdentifier: string }[];
}

/** An object was written or removed: the shape of S3. */
export interface ObjectEvent {
  Records: {
    eventSource: "aws:s3";
    eventName: string;
    eventTime: string;
    s3: {
      bucket: { name: string; [name: string]: unknown };
      object: { key: string; size: number; eTag: string; [name: string]: unknown };
      [name: string]: unknown;
    };
    [name: string]: unknown;
  }[];
}

/** A tick of a schedule: the shape of EventBridge. */
export interface ScheduleEvent {
  version: "0";
  id: string;
  "detail-type": "Scheduled Event";
  source: "aws.events";
  time: string;
  resources: string[];
  detail: { [name: string]: unknown };
  [name: string]: unknown;
}

// ---- Errors ----

/** What a failed effect rejects with. */
export interface MedullaError extends Error {
  /** For instance denied: `message` then holds the missing grant, ready to paste. */
  code?: string;
}

// ---- Effects ----

/** The app's own key-value state: transactional with the run, shared by the app's functions. */
export interface State {
  /** The value, the run's own writes included; null where there is none. Checked at settle: when
   * another run changed it meanwhile, this run is repeated. */
  get<Value = any>(key: string): Promise<Value | null>;
  /** Staged: written when the run settles. At most 1 MiB of JSON; keys have at most 1024 bytes. */
  put(key: string, value: Json | object): Promise<void>;
  delete(key: string): Promise<void>;
  /** Adds to a counter. Increments commute: they never conflict. */
  increment(key: string, by?: number): Promise<void>;
  /** Committed values by prefix, in order of key. At most 1000; `after` is the last key seen. */
  list(
    options?: string | { prefix?: string; after?: string; limit?: number },
  ): Promise<{ key: string; value: any }[]>;
}

export interface QueueSendOptions {
  /** Invisible for so many seconds. */
  delaySeconds?: number;
  [name: string]: Json | undefined;
}

/** An object's content and what is known about it. */
export interface StoredObject {
  size?: number;
  etag?: string;
  contentType?: string;
  [name: string]: unknown;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
  json<Value = any>(): Promise<Value>;
}

export interface Objects {
  get(bucket: string, key: string, options?: { [name: string]: Json }): Promise<StoredObject>;
  /** Staged. A value that is no string and no bytes is written as JSON. */
  put(
    bucket: string,
    key: string,
    body: string | ArrayBuffer | ArrayBufferView | Json | object,
    options?: { contentType?: string; [name: string]: Json | undefined },
  ): Promise<any>;
  head(bucket: string, key: string): Promise<any>;
  delete(bucket: string, key: string): Promise<void>;
  list(
    bucket: string,
    options?: { prefix?: string; [name: string]: Json | undefined },
  ): Promise<any>;
}

/** An event to emit. Id and source are filled in where they are missing. */
export interface NewEvent {
  type: string;
  source?: string;
  id?: string;
  subject?: string;
  data?: Json | object;
}

/** When to emit: now without options. A key makes a timer that can be moved and cancelled. */
export interface EmitOptions {
  /** RFC 3339, or milliseconds since 1970. */
  at?: string | number;
  /** Milliseconds from now, at most 2^31-1. */
  after?: number;
  /** Of the app; at most 512 bytes. Emitting under the same key again moves the timer. */
  key?: string;
}

/** A message to a contact. */
export interface Message {
  /** The subject of a mail. */
  subject?: string;
  text: string;
  /** For webhooks: part of the signed JSON body. */
  data?: Json | object;
  /** The same key is sent once. */
  key?: string;
}

/** What the function acts through. */
export interface Context {
  /** The run. */
  readonly awsRequestId: string;
  /** What the run is an attempt at; undefined for a call that is not retried. */
  readonly deliveryId?: string;
  /** From 1. */
  readonly attempt: number;
  /** When the event arrived, ms since 1970. */
  readonly receivedMs?: number;
  /** "app/function". */
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly identity?: unknown;
  readonly clientContext?: unknown;
  callbackWaitsForEmptyEventLoop: boolean;
  getRemainingTimeInMillis(): number;

  readonly state: State;
  readonly queue: {
    send(queue: string, body: Json | object, options?: QueueSendOptions): Promise<any>;
  };
  readonly object: Objects;
  /** Staged: admitted when the run settles, or later by a durable timer. */
  emit(event: NewEvent, options?: EmitOptions): Promise<{ id: string }>;
  /** Cancels the timer of this key; nothing happens when there is none. */
  cancel(key: string): Promise<void>;
  /** Sent after the run has settled, at least once, under the same idempotency key. */
  notify(contact: string, message: Message): Promise<any>;
  /** At once, through the platform: only origins that are granted. Also the global fetch. */
  fetch: typeof globalThis.fetch;
  /** A line in the run's log. */
  log(...values: unknown[]): void;
  /** An effect by its name, for those that have no method here. */
  call(effect: string, payload?: { [name: string]: unknown }): Promise<any>;

  // Lambda's oldest way to end.
  succeed(result?: unknown): void;
  fail(error: unknown): void;
  done(error?: unknown, result?: unknown): void;
}

/** The shape of a handler. */
export type Handler<Event = CloudEvent, Result = unknown> = (
  event: Event,
  context: Context,
) => Result | Promise<Result>;
