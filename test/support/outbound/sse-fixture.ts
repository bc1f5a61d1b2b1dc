/** A raw HTTP+SSE (2024-11-05) server on top of the HTTP fixture: GET opens the stream, POST feeds it. */
import type { ServerResponse } from 'node:http';
import { behave } from './behaviour.js';
import { HttpFixture, writeSse } from './http-fixture.js';

export class SseFixture {
  readonly http: HttpFixture;
  /** What the `endpoint` event says. */
  endpoint = '/messages?sessionId=s1';
  postStatus = 202;
  stream: ServerResponse | undefined;

  private constructor(http: HttpFixture) {
    this.http = http;
    http.override = ({ request, response, message }) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: endpoint\ndata: ${this.endpoint}\n\n`);
        this.stream = response;
        return true;
      }
      response.writeHead(this.postStatus).end('Accepted');
      const { stream } = this;
      if (this.postStatus < 300 && stream !== undefined) for (const action of behave(message)) writeSse(stream, action);
      return true;
    };
  }

  static async start(): Promise<SseFixture> {
    return new SseFixture(await HttpFixture.start());
  }
}
