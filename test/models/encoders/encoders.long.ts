import { testEncoders } from './golden-encoders.ts';

testEncoders(['efficientnet-lite2', 'resnet50'], { features: true });
testEncoders(
  [
    ...(['efficientnet-b1', 'efficientnet-b2', 'efficientnet-b3', 'efficientnet-b5', 'efficientnet-b6'] as const),
    ...(['efficientnet-b7', 'resnet101'] as const),
  ],
  { features: false },
);
