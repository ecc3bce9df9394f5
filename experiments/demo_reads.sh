#!/bin/sh
# The demo from reads on, as plain commands: a simulated genome is sequenced, its reads are aligned and become coverage, and
# the dataset, the models and the page of `make demo` are made from that. `make demo-reads` runs it; it needs bowtie2 and
# samtools. Run again, it goes on where it was stopped and redoes nothing; `rm -r demo_reads` begins anew.
set -eu

for program in bowtie2 samtools; do
    command -v "$program" > /dev/null || { echo "$program not found; on Debian: apt-get install bowtie2 samtools" >&2; exit 1; }
done

# Freed memory is kept for the next training step (docs/training.md).
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296

[ -d demo_reads/genome ] || regact simulate experiments/simulation_demo.yaml --out demo_reads/genome

# What a sequencer reports of the rates that tracks/*.bw of `make demo` are drawn from: 12 samples, some GC bias.
[ -d demo_reads/fastq ] || regact simulate-reads --genome demo_reads/genome/genome.fa \
    --tracks demo_reads/genome/truth/targets.txt --out demo_reads/fastq --set reads=200000 --set gc_bias.width=0.2

mkdir -p demo_reads/aligned
for sample in $(tail -n +2 demo_reads/fastq/samples.tsv | cut -f 1); do
    # The card is written last.
    [ -f "demo_reads/aligned/$sample.align.json" ] || regact align "demo_reads/fastq/${sample}_R1.fastq.gz" \
        --genome demo_reads/genome/genome.fa --out "demo_reads/aligned/$sample.bam" \
        --index-dir demo_reads/index --overwrite
done

# The sheet of samples: sample, file, assay.
awk -F '\t' -v OFS='\t' 'NR == 1 {print "sample", "file", "assay"; next} {print $1, "aligned/" $1 ".bam", $2}' \
    demo_reads/fastq/samples.tsv > demo_reads/samples.tsv
# The length of the library's fragments, which single reads with broad peaks do not tell.
regact coverage --sheet demo_reads/samples.tsv --genome demo_reads/genome/genome.fa --out demo_reads/coverage \
    --fragment-bp 180

# The experiment of the demo, on these tracks.
set -- experiments/demo.yaml --data demo_reads/genome --set 'tracks=${data}/../coverage/tracks.tsv' \
    --set store=demo_reads/store
[ -d demo_reads/store ] || regact dataset build "$@"
regact compare "$@" --out demo_reads/comparison --jobs 2
