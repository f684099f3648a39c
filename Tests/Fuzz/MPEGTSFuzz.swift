import MPEGTS

package func fuzzMPEGTS(_ bytes: [UInt8]) -> String? {
    func demux(step: Int) -> (packets: Int, events: Int) {
        var aligner = PacketAligner()
        var demuxer = Demuxer()
        var restamper = Restamper()
        var counts = (packets: 0, events: 0)
        var index = 0
        while index < bytes.count {
            let end = min(bytes.count, index + step)
            var aligned = aligner.align(Array(bytes[index..<end]))
            index = end
            var position = 0
            while position < aligned.count {
                if let packet = Packet(aligned, at: position) {
                    counts.packets += 1
                    demuxer.feed(packet, aligned) { _ in counts.events += 1 }
                    _ = restamper.restamp(packet, in: &aligned, arrival: .milliseconds(counts.packets))
                }
                position += Packet.size
            }
        }
        demuxer.finish { _ in counts.events += 1 }
        return counts
    }
    let whole = demux(step: max(1, bytes.count))
    _ = demux(step: 100)
    return whole.packets <= bytes.count / Packet.size ? nil : "more packets than bytes for them"
}
