import { type MlflowClient, MlflowError } from 'mlflow-js-client';
import { messageOf } from '../core/errors.ts';

/** Data sets of runs came with it; aliases of models with 2.3. */
const OLDEST = [2, 4] as const;

/** What went wrong with a server, and what to do about it, as the end of a sentence. */
export function explainFailure(error: unknown): string {
  const message = messageOf(error);
  if (!(error instanceof MlflowError)) return message;
  const next = nextOf(error);
  return next === '' ? message : `${message.replace(/\.$/, '')}. ${next}`;
}

function nextOf({ status, code, message }: MlflowError): string {
  if (status === 401) {
    return 'It wants to know who you are: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.';
  }
  // What MLflow's basic authentication answers has no code: the text alone tells it from a guard's.
  if (status === 403 && (code !== undefined || /permission denied/i.test(message))) {
    return 'It knows this user and does not let them write here: ask for EDIT on the experiment (or registered model), or name another with mlflow_experiment.';
  }
  if (status === 403) {
    return 'Something before it refuses: MLflow itself does where the address is not among its --allowed-hosts, else a proxy.';
  }
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return 'Name the authority of its certificate with MLFLOW_TRACKING_SERVER_CERT_PATH.';
  }
  return status === undefined ? 'Check MLFLOW_TRACKING_URI, and whether the server runs.' : '';
}

/** Throws Error where a server says that it is older than what a run is logged with; one that does not say is taken as it is. */
export async function checkVersion(client: MlflowClient): Promise<void> {
  const said = await client.version().catch((error: unknown) => {
    // No answer at all is for whoever asked; a server without that page is taken as it is.
    if (error instanceof MlflowError && error.status === undefined) throw error;
    return '';
  });
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(said) ?? [];
  if (major === undefined) return;
  const [wantedMajor, wantedMinor] = OLDEST;
  if (Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor)) return;
  throw new Error(
    `Expected MLflow ${OLDEST.join('.')} or later at ${client.trackingUri} but it is ${said}. ` +
      'Upgrade it, or unset MLFLOW_TRACKING_URI: a server of this machine is used then.',
  );
}
