// What a worker thread starts with. Threads do not inherit tsx under Node 20 (it registers on the main thread alone),
// so this plain JavaScript file registers it and then loads the TypeScript file that the thread is for.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.entry);
