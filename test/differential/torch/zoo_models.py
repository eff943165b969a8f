"""Published architectures with random weights: as published in FULL, shrunk to fit a repository in SMALL.

Each entry builds (module, calls), where every call is a list of arguments and the first is the one a trace sees.
"""
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from torchvision.models import convnext, detection, efficientnet, regnet, resnet, segmentation, swin_transformer
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection.ssd import SSD
from torchvision.models.googlenet import Inception

FULL, SMALL, DETECTION, QUANTISED = {}, {}, set(), set()


def images(size=64, batches=(2, 1, 3), other=None):
    calls = [[torch.randn(n, 3, size, size)] for n in batches]
    return calls + ([[torch.randn(2, 3, other, other + 32)]] if other else [])


def full(name, build, calls=images, detects=False, quantised=False):
    FULL[name] = lambda: (build(), calls())
    if detects:
        DETECTION.add(name)
    if quantised:
        QUANTISED.add(name)


def small(name, build, calls=partial(images, 32), detects=False, quantised=False):
    SMALL[name] = lambda: (build(), calls())
    if detects:
        DETECTION.add(name)
    if quantised:
        QUANTISED.add(name)


# --- torchvision -----------------------------------------------------------------------------------------------------
plain = partial(torchvision.models.get_model, weights=None, num_classes=10)
for name in (
    'vgg11_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2 densenet121 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large '
    'mnasnet0_5 shufflenet_v2_x1_0 squeezenet1_1 efficientnet_b0 efficientnet_v2_s regnet_y_400mf regnet_x_400mf convnext_tiny'
).split():
    full(name, partial(plain, name), partial(images, 64, (2, 1), 96) if name not in ('vgg11_bn',) else partial(images, 64, (2, 1)))
full('alexnet', partial(plain, 'alexnet'), partial(images, 96))
full('swin_t', partial(plain, 'swin_t'), partial(images, 64, (2, 1, 3)))
full('swin_v2_t', partial(plain, 'swin_v2_t'), partial(images, 64, (2, 1, 3)))
full('googlenet', lambda: torchvision.models.googlenet(weights=None, num_classes=10, init_weights=False, aux_logits=False), partial(images, 64, (2, 1), 96))
full('inception_v3', lambda: torchvision.models.inception_v3(weights=None, num_classes=10, init_weights=False, aux_logits=False), partial(images, 96, (2, 1), 128))
full('vit_b_16', lambda: plain('vit_b_16', image_size=64))
full('maxvit_t', lambda: plain('maxvit_t', input_size=(224, 224)), partial(images, 224, (1, 2)))
for name in 'fcn_resnet50 deeplabv3_resnet50 deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large'.split():
    full(name, lambda name=name: torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=5), partial(images, 64, (2, 1), 96))
clips = lambda t=8, s=48: [[torch.randn(n, 3, t, s, s)] for n in (1, 2)]  # noqa: E731
for name in 'r3d_18 r2plus1d_18 mc3_18'.split():
    full(name, partial(plain, name), clips)
full('s3d', partial(plain, 's3d'), partial(clips, 16, 224))
full('mvit_v2_s', partial(plain, 'mvit_v2_s'), partial(clips, 16, 224))
detector = partial(torchvision.models.get_model, weights=None, weights_backbone=None, num_classes=5)
scenes = lambda h=64, w=80: [[[torch.rand(3, h, w)]], [[torch.rand(3, w, h)]]]  # noqa: E731
for name in 'fasterrcnn_resnet50_fpn maskrcnn_resnet50_fpn keypointrcnn_resnet50_fpn retinanet_resnet50_fpn fcos_resnet50_fpn'.split():
    options = {'num_keypoints': 3} if 'keypoint' in name else {}
    full(name, lambda name=name, options=options: detector(name, min_size=96, max_size=128, **options), scenes, detects=True)
full('ssd300_vgg16', partial(detector, 'ssd300_vgg16'), scenes, detects=True)


class Heads(nn.Module):
    """What detections are picked from: random weights score most places the same to the last bits, so which are picked is chance."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, image):
        images, _ = self.body.transform([image])
        return self.body.head(list(self.body.backbone(images.tensors).values()))


full('ssdlite320_mobilenet_v3_large', lambda: Heads(detector('ssdlite320_mobilenet_v3_large')), lambda: [[torch.rand(3, 64, 80)], [torch.rand(3, 80, 64)]])


# --- transformers ----------------------------------------------------------------------------------------------------
def tokens(high=60, masked=True):
    def call(n, t):
        ids = torch.randint(3, high, (n, t))
        mask = torch.ones(n, t, dtype=torch.int64)
        mask[0, -1] = 0
        return [ids, mask] if masked else [ids]

    return [call(2, 9), call(1, 9), call(3, 6)]


class Masked(nn.Module):
    """The second positional argument of some models is not the mask."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, ids, mask):
        return self.body(ids, attention_mask=mask).to_tuple()


def hugging(kind, config, **options):
    def build():
        import transformers

        settings = getattr(transformers, config)(**options)
        return Masked(getattr(transformers, kind)(settings))

    return build


SIZES = {
    'small': {'vocab_size': 60, 'hidden_size': 16, 'num_hidden_layers': 2, 'num_attention_heads': 2, 'intermediate_size': 24, 'max_position_embeddings': 40},
    'full': {'vocab_size': 1000, 'hidden_size': 128, 'num_hidden_layers': 4, 'num_attention_heads': 4, 'intermediate_size': 256, 'max_position_embeddings': 128},
}
for size, add in (('small', small), ('full', full)):
    options = SIZES[size]
    for attention in ('eager', 'sdpa'):
        common = {**options, 'attn_implementation': attention}
        distil = {'vocab_size': options['vocab_size'], 'dim': options['hidden_size'], 'n_layers': 2, 'n_heads': 2, 'hidden_dim': 24, 'max_position_embeddings': 40, 'attn_implementation': attention}
        gpt = {'vocab_size': options['vocab_size'], 'n_embd': options['hidden_size'], 'n_layer': 2, 'n_head': 2, 'n_positions': 40, 'use_cache': False, 'bos_token_id': 1, 'eos_token_id': 2, 'attn_implementation': attention}
        add(f'bert_{attention}', hugging('BertModel', 'BertConfig', **common), tokens)
        add(f'roberta_{attention}', hugging('RobertaForSequenceClassification', 'RobertaConfig', **common, pad_token_id=1), tokens)
        add(f'distilbert_{attention}', hugging('DistilBertModel', 'DistilBertConfig', **distil), tokens)
        add(f'gpt2_{attention}', hugging('GPT2LMHeadModel', 'GPT2Config', **gpt), tokens)
    add('electra', hugging('ElectraModel', 'ElectraConfig', **options, embedding_size=12), tokens)
    add('albert', hugging('AlbertModel', 'AlbertConfig', **options, embedding_size=12), tokens)
    llama = {k: v for k, v in options.items()}
    add('llama', hugging('LlamaModel', 'LlamaConfig', **llama, num_key_value_heads=1, use_cache=False), tokens)
    add('t5_encoder', hugging('T5EncoderModel', 'T5Config', vocab_size=options['vocab_size'], d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2), tokens)
full('bert_base', hugging('BertModel', 'BertConfig'), partial(tokens, 30000))
TRACE_ONLY = {name for name in (*FULL, *SMALL) if name.startswith(('bert', 'roberta', 'distilbert', 'gpt2', 'electra', 'albert', 'llama', 't5'))}


# --- shrunk torchvision ----------------------------------------------------------------------------------------------
class Backbone(nn.Sequential):
    """A ResNet of 8 to 24 channels out of torchvision's own blocks."""

    def __init__(self, block=resnet.BasicBlock, **options):
        def layer(inside, outside, stride):
            shortcut = nn.Sequential(nn.Conv2d(inside, outside * block.expansion, 1, stride, bias=False), nn.BatchNorm2d(outside * block.expansion))
            return block(inside, outside, stride, shortcut, **options)

        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        self.layer1 = layer(8, 8 if block is resnet.BasicBlock else 4, 1)
        self.layer2 = layer(8 if block is resnet.BasicBlock else 16, 24 if block is resnet.BasicBlock else 8, 2)
        self.out_channels = 24 if block is resnet.BasicBlock else 32


class Classifier(nn.Module):
    def __init__(self, body, channels):
        super().__init__()
        self.body, self.pool, self.fc = body, nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(channels, 5)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.body(x)), 1))


class TinyVgg(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = torchvision.models.vgg.make_layers([4, 'M', 8, 'M'], batch_norm=True)
        self.avgpool = nn.AdaptiveAvgPool2d((4, 4))
        self.classifier = nn.Sequential(nn.Linear(128, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 5))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


small('resnet', lambda: Classifier(Backbone(), 24), partial(images, 32, (2, 1, 3), 48))
small('resnext', lambda: Classifier(Backbone(resnet.Bottleneck, groups=2, base_width=64), 32), partial(images, 32, (2, 1, 3), 48))
small('vgg', TinyVgg)
small('densenet', lambda: torchvision.models.DenseNet(4, (2, 2), 8, 2, num_classes=5), partial(images, 32, (2, 1, 3), 64))
small('mobilenet_v2', lambda: torchvision.models.MobileNetV2(5, 0.1, [[1, 8, 1, 1], [6, 12, 2, 2]]), partial(images, 32, (2, 1, 3), 48))
small('mobilenet_v3', lambda: torchvision.models.MobileNetV3([
    torchvision.models.mobilenetv3.InvertedResidualConfig(*row, 1.0) for row in ((8, 3, 8, 8, True, 'RE', 2, 1), (8, 5, 16, 12, True, 'HS', 2, 1), (12, 5, 24, 12, False, 'HS', 1, 1))
], 16, num_classes=5), partial(images, 32, (2, 1, 3), 48))
small('mnasnet', lambda: torchvision.models.MNASNet(0.05, 5), partial(images, 64, (2, 1)))
small('shufflenet', lambda: torchvision.models.ShuffleNetV2([2, 2, 1], [8, 8, 16, 16, 24], 5), partial(images, 32, (2, 1, 3), 64))
small('squeeze', lambda: Classifier(nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.MaxPool2d(3, 2, ceil_mode=True), torchvision.models.squeezenet.Fire(8, 4, 8, 8)), 16), partial(images, 32, (2, 1, 3), 48))
small('efficientnet', lambda: torchvision.models.EfficientNet([
    efficientnet.MBConvConfig(1, 3, 1, 32, 16, 1, 0.25, 0.25), efficientnet.MBConvConfig(6, 5, 2, 32, 48, 2, 0.25, 0.25),
], 0.2, last_channel=32, num_classes=5), partial(images, 32, (2, 1, 3), 48))
small('regnet', lambda: torchvision.models.RegNet(regnet.BlockParams.from_init_params(4, 8, 8.0, 2.0, 4, se_ratio=0.25), 5, stem_width=8), partial(images, 32, (2, 1, 3), 48))
small('convnext', lambda: torchvision.models.ConvNeXt([convnext.CNBlockConfig(8, 16, 1), convnext.CNBlockConfig(16, None, 1)], num_classes=5), partial(images, 32, (2, 1, 3), 48))
small('vit', lambda: torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5))
small('swin', lambda: torchvision.models.SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=5))
small('swin_v2', lambda: torchvision.models.SwinTransformer(
    [4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=5, block=swin_transformer.SwinTransformerBlockV2, downsample_layer=swin_transformer.PatchMergingV2))
small('maxvit', lambda: torchvision.models.MaxVit((32, 32), 8, 4, [8, 8], [1, 1], 4, 0.0, num_classes=5))
small('inception', lambda: Classifier(nn.Sequential(nn.Conv2d(3, 8, 3, 2), Inception(8, 4, 4, 8, 2, 4, 4)), 20), partial(images, 32, (2, 1, 3), 48))
small('fcn', lambda: segmentation.FCN(IntermediateLayerGetter(Backbone(), {'layer2': 'out', 'layer1': 'aux'}), segmentation.fcn.FCNHead(24, 5), segmentation.fcn.FCNHead(8, 5)), partial(images, 16, (2, 1)))
small('deeplab', lambda: segmentation.DeepLabV3(
    IntermediateLayerGetter(Backbone(), {'layer2': 'out'}), nn.Sequential(segmentation.deeplabv3.ASPP(24, [2, 4], 8), nn.Conv2d(8, 5, 1))), partial(images, 16, (2, 1)))
small('lraspp', lambda: segmentation.LRASPP(IntermediateLayerGetter(Backbone(), {'layer1': 'low', 'layer2': 'high'}), 8, 24, 5, 16), partial(images, 16, (2, 1)))
small('video', lambda: nn.Sequential(
    torchvision.models.video.resnet.Conv2Plus1D(3, 8, 6), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d((1, 2, 2)), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 4)), partial(clips, 4, 16))


class OneLevel(Backbone):
    def __init__(self):
        super().__init__()
        self.out_channels = [self.out_channels]


def anchors(levels=1):
    return detection.anchor_utils.AnchorGenerator(((8, 16, 32),) * levels, ((0.5, 1.0, 2.0),) * levels)


def faster(kind=detection.FasterRCNN, **options):
    pool = torchvision.ops.MultiScaleRoIAlign(['0'], 5, 2)
    return kind(
        Backbone(), min_size=64, max_size=96, rpn_anchor_generator=anchors(), box_roi_pool=pool, rpn_pre_nms_top_n_test=40, rpn_post_nms_top_n_test=20,
        box_head=detection.faster_rcnn.TwoMLPHead(24 * 25, 16), box_predictor=detection.faster_rcnn.FastRCNNPredictor(16, 4),
        box_detections_per_img=12, box_score_thresh=0.01, **options)


small('fasterrcnn', faster, scenes, detects=True)
small('maskrcnn', lambda: faster(
    detection.MaskRCNN, mask_roi_pool=torchvision.ops.MultiScaleRoIAlign(['0'], 6, 2),
    mask_head=detection.mask_rcnn.MaskRCNNHeads(24, (8,), 1), mask_predictor=detection.mask_rcnn.MaskRCNNPredictor(8, 8, 4)), scenes, detects=True)
small('keypointrcnn', lambda: faster(
    detection.KeypointRCNN, keypoint_roi_pool=torchvision.ops.MultiScaleRoIAlign(['0'], 6, 2),
    keypoint_head=detection.keypoint_rcnn.KeypointRCNNHeads(24, (8,)), keypoint_predictor=detection.keypoint_rcnn.KeypointRCNNPredictor(8, 3)), scenes, detects=True)
small('retinanet', lambda: detection.RetinaNet(
    Backbone(), 4, min_size=64, max_size=96, anchor_generator=anchors(), topk_candidates=30, detections_per_img=15, score_thresh=0.001), scenes, detects=True)
small('ssd', lambda: SSD(
    OneLevel(), detection.anchor_utils.DefaultBoxGenerator([[2, 3]]), (64, 64), 4, topk_candidates=30, detections_per_img=15, score_thresh=0.001), scenes, detects=True)


class Traceable(nn.Module):
    """One image in, the fields of its detections out: a trace cannot return a list of dicts."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, image):
        found = self.body([image])[0]
        return tuple(found[key] for key in sorted(found))


image = lambda h=64, w=80: [[torch.rand(3, h, w)], [torch.rand(3, h, w)]]  # noqa: E731
for table in (SMALL, FULL):
    for name in [name for name in table if name in DETECTION]:
        build = table[name]
        table[f'{name}_traced'] = lambda build=build: (Traceable(build()[0]), image())
        DETECTION.add(f'{name}_traced')
        TRACE_ONLY.add(f'{name}_traced')


# --- quantised -------------------------------------------------------------------------------------------------------
class Quantisable(nn.Module):
    def __init__(self, relu6=False):
        super().__init__()
        self.quant, self.dequant = torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu1 = nn.ReLU6() if relu6 else nn.ReLU()
        self.conv2 = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=2)
        self.skip = nn.quantized.FloatFunctional()
        self.conv3 = nn.Conv2d(8, 8, 1)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.relu1(self.bn1(self.conv1(self.quant(x))))
        y = self.conv2(x)
        y = self.skip.add(y, self.conv3(y))
        y = F.max_pool2d(y, 2)
        y = torch.flatten(self.pool(y), 1)
        return self.dequant(self.fc(y))


class QuantisableDeep(nn.Module):
    """Layers enough for one that rounds otherwise to show."""

    def __init__(self, channels=8):
        super().__init__()
        self.quant, self.dequant = torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.layers = nn.ModuleList([nn.Conv2d(channels, channels, 3, padding=1) for _ in range(8)])
        self.skips = nn.ModuleList([nn.quantized.FloatFunctional() for _ in range(8)])

    def forward(self, x):
        x = self.first(self.quant(x))
        for layer, skip in zip(self.layers, self.skips):
            x = skip.add_relu(layer(x), x)
        return self.dequant(x)


class Recurrent(nn.Module):
    """A dynamically quantised LSTM has no `forward` of its own that can be scripted."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x)


def static(build, backend, fuse, calls):
    torch.backends.quantized.engine = backend
    module = build().eval()
    perturb(module)
    if fuse:
        module = torch.ao.quantization.fuse_modules(module, fuse)
    module.qconfig = torch.ao.quantization.get_default_qconfig(backend)
    module = torch.ao.quantization.prepare(module)
    for call in calls():
        module(*call)
    return torch.ao.quantization.convert(module)


def dynamic(build):
    torch.backends.quantized.engine = 'fbgemm'
    module = build().eval()
    perturb(module)
    return torch.ao.quantization.quantize_dynamic(module, {nn.Linear, nn.LSTM, nn.GRU})


FUSE = [['conv1', 'bn1', 'relu1']]
small('static_per_channel', lambda: static(Quantisable, 'fbgemm', FUSE, partial(images, 16)), partial(images, 16), quantised=True)
small('static_per_tensor', lambda: static(Quantisable, 'qnnpack', FUSE, partial(images, 16)), partial(images, 16), quantised=True)
small('static_deep', lambda: static(QuantisableDeep, 'qnnpack', [], partial(images, 16)), partial(images, 16), quantised=True)
small('static_deep_per_channel', lambda: static(partial(QuantisableDeep, 16), 'fbgemm', [], partial(images, 16)), partial(images, 16), quantised=True)
small('static_unfused', lambda: static(partial(Quantisable, True), 'fbgemm', [], partial(images, 16)), partial(images, 16), quantised=True)
small('dynamic_mlp', lambda: dynamic(lambda: nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 3))), lambda: [[torch.randn(n, 10)] for n in (3, 1, 5)], quantised=True)
small('dynamic_lstm', lambda: dynamic(lambda: Recurrent(nn.LSTM(6, 8, 2, batch_first=True, bidirectional=True))), lambda: [[torch.randn(n, t, 6)] for n, t in ((2, 5), (1, 5), (3, 7))], quantised=True)
small('dynamic_gru', lambda: dynamic(lambda: Recurrent(nn.GRU(6, 8))), lambda: [[torch.randn(t, n, 6)] for n, t in ((2, 5), (1, 5), (3, 7))], quantised=True)


def ready(name, calls):
    def build():
        torch.backends.quantized.engine = 'fbgemm'
        module = getattr(torchvision.models.quantization, name)(weights=None, quantize=False).eval()
        perturb(module)
        module.fuse_model()
        module.qconfig = torch.ao.quantization.get_default_qconfig('fbgemm')
        module = torch.ao.quantization.prepare(module)
        for call in calls():
            module(*call)
        return torch.ao.quantization.convert(module)

    return build


for name in 'resnet18 resnet50 mobilenet_v2 mobilenet_v3_large googlenet inception_v3 shufflenet_v2_x1_0'.split():
    calls = partial(images, 96 if name == 'inception_v3' else 64)  # the least it takes
    full(f'quantised_{name}', ready(name, calls), calls, quantised=True)


def perturb(module):
    """Gives constant parameters values: a head of zeros or a layer scale of 1e-6 would hide what comes before it."""
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if not value.is_floating_point() or value.numel() == 0:
                continue
            if value.numel() > 1 and not bool((value == value.flatten()[0]).all()):
                continue
            if name.endswith('running_var'):
                value.uniform_(0.5, 1.5)
            elif bool((value.flatten()[0].abs() > 1e-4)):
                value.mul_(torch.empty_like(value).uniform_(0.7, 1.3))
            else:
                value.normal_(0, 0.2)
