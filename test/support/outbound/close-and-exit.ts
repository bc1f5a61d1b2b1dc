/** Opens the target named in the argument, has one answer, closes, and must then come to its own end. */
import { createOutboundTransport, type OutboundTarget } from '#src/transports/outbound/create.js';
import { createReaper } from '#src/transports/outbound/reaper.js';
import { patient, Recorder, request } from './recorder.js';

const target = JSON.parse(process.argv[2] ?? '') as OutboundTarget;
const recorder = new Recorder();
const transport = createOutboundTransport(target, recorder, { reaper: createReaper() });
const error = await transport.open(patient);
if (error !== undefined) throw new Error(error.message);
transport.send(request(1, 'echo'));
await recorder.result(1);
transport.listen();
await transport.close(1_000);
process.stdout.write('closed\n');
