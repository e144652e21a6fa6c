/**
 * The one door to TensorFlow.js for every other room. It carries no native side: `loadEngine` registers that as the
 * backend before anything is computed.
 */
export * as tf from '@tensorflow/tfjs';
