import { testEncoders } from './golden-encoders.ts';

// Two of Keras, each with its own scale; from PyTorch one without a bottleneck, one with groups and gates, and relu6.
testEncoders(['efficientnet-b0', 'efficientnet-b4', 'efficientnet-lite0', 'resnet34', 'seresnext50-32x4d'], {
  features: true,
});
testEncoders(['efficientnet-lite1', 'resnet18'], { features: false });
