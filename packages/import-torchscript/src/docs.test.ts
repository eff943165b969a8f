import { expect, it } from 'vitest'
import { renderOps } from './index.ts'

it('renderOps() names every operator, by family', () => {
  const text = renderOps()
  expect(text).toContain('### Convolution\n\n')
  for (const name of ['conv2d', 'scaled_dot_product_attention', 'embedding_bag', 'lstm', 'torchvision::nms']) {
    expect(text).toContain(`\`${name}\``)
  }
})
