"""TensorFlow, tf.function:

tensorflow_peer.py infer MODEL INPUTS OUTPUTS THREADS
tensorflow_peer.py steps MODEL INPUTS OUTPUTS THREADS LOSS TARGETS BATCH
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from graph import load_graph, sliding
from measure import read_samples, read_targets, serve_inference, serve_steps

CONV = {2: tf.nn.conv2d, 3: tf.nn.conv3d}
TRANSPOSED = {2: tf.nn.conv2d_transpose, 3: tf.nn.conv3d_transpose}
POOL = {2: tf.nn.max_pool2d, 3: tf.nn.max_pool3d}


class Network(tf.Module):
    """x [N, spatial..., C]; logits in place of probabilities. Weights have ratnet's order."""

    def __init__(self, path):
        super().__init__()
        self.nodes, weights = load_graph(path)
        fixed = ("mean", "variance")
        self.weights = {name: tf.Variable(value, trainable=not name.endswith(fixed))
                        for name, value in weights.items()}

    def of(self, node, kind):
        return self.weights.get(f"{node['name']}/{kind}")

    def __call__(self, x, training):
        values = {self.nodes[0]["name"]: x}
        for node in self.nodes[1:]:
            inputs = [values[name] for name in node["inputs"]]
            values[node["name"]] = getattr(self, node["kind"])(node, inputs, training)
        return values[self.nodes[-1]["name"]]

    def conv(self, node, inputs, _):
        x, weight = inputs[0], self.of(node, "weight")
        dims = len(weight.shape) - 2
        stride, pad = sliding(node)
        if stride > 1:
            x = tf.pad(x, [[0, 0], *[[pad, pad]] * dims, [0, 0]])
        strides = [1, *[stride] * dims, 1]
        y = CONV[dims](x, weight, strides, "SAME" if stride == 1 else "VALID")
        return self.biased(node, y)

    def conv_transpose(self, node, inputs, _):
        x, weight = inputs[0], self.of(node, "weight")
        dims = len(weight.shape) - 2
        stride, _ = sliding(node)
        sizes = [stride * n for n in x.shape[1:-1]]
        shape = [tf.shape(x)[0], *sizes, weight.shape[-2]]
        return self.biased(node, TRANSPOSED[dims](x, weight, shape, [stride] * dims, "SAME"))

    def biased(self, node, y):
        bias = self.of(node, "bias")
        return y if bias is None else tf.nn.bias_add(y, bias)

    def batch_norm(self, node, inputs, training):
        x = inputs[0]
        scale, shift, mean, variance = (
            self.of(node, kind) for kind in ("scale", "shift", "mean", "variance"))
        # Volumes as images: the fused operation has no third dimension.
        flat = tf.reshape(x, [tf.shape(x)[0], -1, x.shape[-2], x.shape[-1]])
        epsilon = node.get("epsilon", 1e-5)
        if not training:
            y, _, _ = tf.compat.v1.nn.fused_batch_norm(
                flat, scale, shift, mean, variance, epsilon, is_training=False)
        else:
            y, new_mean, new_variance = tf.compat.v1.nn.fused_batch_norm(
                flat, scale, shift, epsilon=epsilon, is_training=True)
            share = node.get("momentum", 0.1)
            mean.assign_add(share * (new_mean - mean))
            variance.assign_add(share * (new_variance - variance))
        return tf.reshape(y, tf.shape(x))

    def dense(self, node, inputs, _):
        return self.biased(node, inputs[0] @ self.of(node, "weight"))

    def relu(self, node, inputs, _):
        return tf.nn.relu(inputs[0])

    def dropout(self, node, inputs, _):
        return inputs[0]

    def max_pool(self, node, inputs, _):
        return POOL[len(inputs[0].shape) - 2](inputs[0], 2, 2, "VALID")

    def upsample(self, node, inputs, _):
        sizes = [2 * n for n in inputs[0].shape[1:-1]]
        return tf.image.resize(inputs[0], sizes, "nearest")

    def concat(self, node, inputs, _):
        return tf.concat(inputs, -1)

    def flatten(self, node, inputs, _):
        return tf.reshape(inputs[0], [tf.shape(inputs[0])[0], -1])


class Adam:
    """At a rate of 1e-4, by the operation that Keras leaves to its own arithmetic."""

    def __init__(self, variables):
        self.variables = variables
        self.moments = [[tf.Variable(tf.zeros_like(v)) for v in variables] for _ in range(2)]
        self.powers = [tf.Variable(0.9), tf.Variable(0.999)]

    def apply(self, gradients):
        for variable, first, second, gradient in zip(self.variables, *self.moments, gradients):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, beta1_power=self.powers[0],
                beta2_power=self.powers[1], lr=1e-4, beta1=0.9, beta2=0.999, epsilon=1e-8,
                grad=gradient)
        for power, beta in zip(self.powers, (0.9, 0.999)):
            power.assign(power * beta)


def loss_of(outputs, images, targets):
    if targets is None:
        return tf.reduce_mean(tf.square(outputs - images))
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs))


def use_threads(threads):
    tf.config.threading.set_intra_op_parallelism_threads(int(threads))
    tf.config.threading.set_inter_op_parallelism_threads(1)


def infer(path, inputs, outputs, threads):
    use_threads(threads)
    network = Network(path)
    predict = tf.function(lambda images: network(images, False))
    samples = read_samples(inputs, load_graph(path)[0][0]["shape"])
    serve_inference(samples, outputs, tf.constant, predict, lambda y: y.numpy())


def steps(path, inputs, outputs, threads, loss, targets, batch):
    use_threads(threads)
    samples = read_samples(inputs, load_graph(path)[0][0]["shape"])

    def make(images, given):
        network = Network(path)
        adam = Adam(network.trainable_variables)
        images = tf.constant(images)
        given = None if given is None else tf.constant(given)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                value = loss_of(network(images, True), images, given)
            adam.apply(tape.gradient(value, adam.variables))
            return value

        return lambda: float(step())

    serve_steps(make, samples, read_targets(targets, loss, samples), outputs, int(batch))


{"infer": infer, "steps": steps}[sys.argv[1]](*sys.argv[2:])
