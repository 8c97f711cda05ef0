/* geometry.c - see geometry.h */
#include "core/geometry.h"

static const uint64_t symbols_max = (uint64_t)1 << 32;

int geometry_init(struct geometry *g, uint64_t len, uint32_t slen, uint16_t kfull)
{
	uint64_t symbols, blocks;

	if (slen == 0 || slen % 2 != 0 || kfull == 0)
		return -1;
	symbols = len / slen + (len % slen != 0); /* len + slen - 1 could wrap */
	blocks = symbols / kfull + (symbols % kfull != 0);
	if (symbols > symbols_max || blocks > UINT32_MAX)
		return -1;
	g->len = len;
	g->slen = slen;
	g->kfull = kfull;
	g->symbols = symbols;
	g->blocks = (uint32_t)blocks;
	g->klast = blocks == 0 ? 0 : (uint16_t)(symbols - (blocks - 1) * kfull);
	return 0;
}

uint16_t geometry_k(const struct geometry *g, uint32_t block)
{
	if (g->len == 0)
		return ((uint64_t)block + 1) * g->kfull <= symbols_max ? g->kfull : 0;
	if (block >= g->blocks)
		return 0;
	return block == g->blocks - 1 ? g->klast : g->kfull;
}

uint64_t geometry_offset(const struct geometry *g, uint32_t block, uint32_t i)
{
	/* block * kfull + i < 2^32 for a symbol that exists, slen < 2^32: no overflow. */
	return ((uint64_t)block * g->kfull + i) * g->slen;
}

uint32_t geometry_bytes(const struct geometry *g, uint32_t block, uint32_t i)
{
	uint64_t at = geometry_offset(g, block, i);

	if (g->len == 0)
		return g->slen;
	if (at >= g->len)
		return 0;
	return g->len - at < g->slen ? (uint32_t)(g->len - at) : g->slen;
}
