"""Small networks of each family of `params.json`, with what each computes, written layer by layer from its formula.

Every function takes a session (numpy's or real Keras's) and its input, and returns the output.
"""

BASENJI2 = {
    "seq_length": 512,
    "target_length": 16,
    "activation": "gelu",
    "batch_norm": True,
    "bn_momentum": 0.9,
    "augment_rc": True,
    "trunk": [
        {"name": "conv_block", "filters": 6, "kernel_size": 15, "pool_size": 2},
        {"name": "conv_tower", "filters_init": 7, "filters_mult": 1.2, "kernel_size": 4, "pool_size": 2, "repeat": 3},
        {"name": "dilated_residual", "filters": 4, "rate_mult": 1.5, "repeat": 4, "dropout": 0.3, "round": True},
        {"name": "Cropping1D", "cropping": 3},
        {"name": "conv_block", "filters": 12, "dropout": 0.05},
    ],
    "head_human": {"name": "dense", "units": 5, "activation": "softplus"},
}


def basenji2(k, x, gelu="gelu_sigmoid"):
    def conv_block(x, filters, width=1, pool=1, dilation=1, dropout=False):
        x = k.conv1d(k.activation(x, gelu), filters, width, dilation=dilation, bias=False)
        x = k.batch_norm(x)
        x = k.dropout(x) if dropout else x
        return k.max_pool(x, pool) if pool > 1 else x

    x = conv_block(x, 6, 15, 2)
    for filters in (7, 8, 10):  # 7, 8.4, 10.08
        x = conv_block(x, filters, 4, 2)
    for dilation in (1, 2, 3, 4):  # 1, 1.5 -> 2, 3, 4.5 -> 4
        x = k.add(x, conv_block(conv_block(x, 4, 3, dilation=dilation), 10, dropout=True))
    x = conv_block(k.crop(x, 3), 12, dropout=True)
    return k.dense(k.activation(x, gelu), 5, "softplus")


BORZOI = {
    "seq_length": 512,
    "augment_rc": True,
    "augment_shift": 3,
    "activation": "gelu",
    "norm_type": "batch",
    "bn_momentum": 0.9,
    "kernel_initializer": "lecun_normal",
    "l2_scale": 2.0e-8,
    "trunk": [
        {
            "name": "conv_dna",
            "filters": 6,
            "kernel_size": 15,
            "norm_type": None,
            "activation": "linear",
            "pool_size": 2,
        },
        {
            "name": "res_tower",
            "filters_init": 6,
            "filters_end": 12,
            "divisible_by": 2,
            "kernel_size": 5,
            "num_convs": 1,
            "pool_size": 2,
            "repeat": 3,
        },
        {
            "name": "transformer_tower",
            "key_size": 3,
            "heads": 2,
            "num_position_features": 8,
            "dropout": 0.2,
            "mha_l2_scale": 1.0e-8,
            "kernel_initializer": "he_normal",
            "repeat": 2,
        },
        {"name": "unet_conv", "kernel_size": 3, "upsample_conv": True},
        {"name": "unet_conv", "kernel_size": 3},
        {"name": "Cropping1D", "cropping": 16},
        {"name": "conv_nac", "filters": 10, "dropout": 0.1},
    ],
    "head_human": {"name": "final", "units": 4, "activation": "softplus"},
    "head_mouse": {"name": "final", "units": 3, "activation": "softplus"},
}


def borzoi_trunk(k, x, gelu="gelu_tanh"):
    def conv_nac(x, filters, width):
        return k.conv1d(k.activation(k.batch_norm(x), gelu), filters, width)

    def unet(x, kept, upsample_conv):
        main = k.activation(k.batch_norm(x), gelu)
        main = k.dense(main, 12) if upsample_conv else main
        side = k.dense(k.activation(k.batch_norm(kept), gelu), 12)
        return k.separable_conv1d(k.add(k.upsample(main, 2), side), 12, 3)

    x = k.max_pool(k.conv1d(x, 6, 15), 2)
    kept = []
    for filters in (6, 8, 12):  # 6, 8.49, 12, to even numbers
        x = conv_nac(x, filters, 5)
        kept.append(x)
        x = k.max_pool(x, 2)
    for _ in range(2):
        x = transformer(k, x, heads=2, key_size=3, position_features=8)
    x = unet(x, kept[2], True)
    x = unet(x, kept[1], False)
    x = k.dropout(conv_nac(k.crop(x, 16), 10, 1))
    return k.activation(x, gelu)


def transformer(k, x, **sizes):
    channels = x.shape[-1]
    x = k.add(x, k.dropout(k.attention(k.layer_norm(x), **sizes)))
    hidden = k.activation(k.dropout(k.dense(k.layer_norm(x), 2 * channels)), "relu")
    return k.add(x, k.dropout(k.dense(hidden, channels)))


def borzoi_human(k, x):
    return k.dense(borzoi_trunk(k, x), 4, "softplus")


def borzoi_mouse(k, x):
    return k.dense(borzoi_trunk(k, x), 3, "softplus")


# Everything that the two families leave out.
OTHERS = {
    "seq_length": 240,
    "activation": "relu",
    "norm_type": None,
    "trunk": [
        {
            "name": "conv_dna",
            "filters": 6,
            "kernel_size": 6,
            "residual": True,
            "norm_type": "layer",
            "activation": "gelu",
            "pool_size": 3,
        },
        {
            "name": "res_tower",
            "filters_init": 6,
            "filters_mult": 1.5,
            "kernel_size": 4,
            "num_convs": 2,
            "activation": "tanh",
            "dropout": 0.1,
            "repeat": 2,
        },
        {"name": "dilated_dense", "filters": 3, "repeat": 2, "activation": "sigmoid"},
        {"name": "dilated_residual", "filters": 5, "repeat": 2},
        {"name": "dilated_residual_nac", "filters": 4, "repeat": 1, "norm_type": "batch"},
        {
            "name": "transformer",
            "key_size": 2,
            "heads": 3,
            "num_position_features": 6,
            "content_position_bias": False,
            "dense_expansion": 0,
            "dropout": 0,
        },
        {"name": "conv_block", "filters": 8, "kernel_size": 5, "conv_type": "separable", "activation_end": "softplus"},
        {"name": "conv_nac", "residual": True, "kernel_size": 2, "norm_type": "layer"},
        {"name": "dense_block", "units": 7, "norm_type": "batch"},
        {"name": "dense_nac", "residual": True},
    ],
    "head": [{"name": "dense_block", "units": 6}, {"name": "final", "units": 2, "activation": "softplus"}],
}


def others(k, x):
    x = k.conv1d(x, 6, 6, bias=False)
    x = k.add(x, k.scale(k.conv1d(k.activation(k.layer_norm(x), "gelu_erf"), 6)))
    x = k.max_pool(x, 3)
    for filters in (6, 9):
        x = k.conv1d(k.activation(x, "tanh"), filters, 4)
        x = k.add(x, k.scale(k.dropout(k.conv1d(k.activation(x, "tanh"), filters))))
        x = k.max_pool(x, 2)
    for dilation in (1, 2):
        x = k.concatenate(x, k.conv1d(k.activation(x, "sigmoid"), 3, 3, dilation=dilation))
    for dilation in (1, 2):
        y = k.conv1d(k.activation(x, "relu"), 5, 3, dilation=dilation)
        x = k.add(x, k.scale(k.conv1d(k.activation(y, "relu"), 15)))
    y = k.conv1d(k.activation(k.batch_norm(x), "relu"), 4, 3)
    x = k.add(x, k.conv1d(k.activation(k.batch_norm(y), "relu"), 15))
    x = k.add(x, k.attention(k.layer_norm(x), heads=3, key_size=2, position_features=6, content_position_bias=False))
    x = k.activation(k.separable_conv1d(k.activation(x, "relu"), 8, 5), "softplus")
    x = k.add(x, k.conv1d(k.activation(k.layer_norm(x), "relu"), 8, 2))
    x = k.batch_norm(k.dense(k.activation(x, "relu"), 7, bias=False))
    x = k.add(x, k.dense(k.activation(x, "relu"), 7))
    x = k.activation(x, "relu")
    x = k.dense(k.activation(x, "relu"), 6)
    return k.dense(x, 2, "softplus")


# Bins of 32 bp without a crop, as the planted dataset of the tests has them.
PLANTED = {
    "seq_length": 1024,
    "activation": "gelu",
    "norm_type": "batch",
    "bn_momentum": 0.9,
    "trunk": [
        {"name": "conv_dna", "filters": 8, "kernel_size": 11, "norm_type": None, "activation": "linear"},
        {"name": "res_tower", "filters_init": 8, "filters_mult": 1, "kernel_size": 3, "num_convs": 1, "repeat": 6},
        {"name": "transformer_tower", "key_size": 4, "heads": 2, "num_position_features": 4, "repeat": 1},
        {"name": "unet_conv", "kernel_size": 3},
        {"name": "conv_nac", "filters": 12, "dropout": 0.1},
    ],
    "head": {"name": "final", "units": 3, "activation": "softplus"},
}


def planted(k, x, gelu="gelu_tanh"):
    x = k.conv1d(x, 8, 11)
    for _ in range(6):
        kept = k.conv1d(k.activation(k.batch_norm(x), gelu), 8, 3)
        x = k.max_pool(kept, 2)
    x = transformer(k, x, heads=2, key_size=4, position_features=4)
    main = k.activation(k.batch_norm(x), gelu)
    side = k.dense(k.activation(k.batch_norm(kept), gelu), 8)
    x = k.separable_conv1d(k.add(k.upsample(main, 2), side), 8, 3)
    x = k.conv1d(k.activation(k.batch_norm(x), gelu), 12)
    return k.dense(k.activation(k.dropout(x), gelu), 3, "softplus")
