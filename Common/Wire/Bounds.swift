// Every text, list and number from a device is hostile: cut to the bounds of `WireLimits` where it enters control.
import Units

extension String {
    /// At most `count` characters, hostile ones replaced. Counted as JSON Schema's `maxLength` counts: Unicode's code points, of which what a
    /// person takes for one character may have any number.
    package func bounded(to count: Int = WireLimits.textCharacters) -> String {
        if utf8.count <= count, isPlain { return self }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(count) { result.append(scalar.isHostile ? " " : scalar) }
        return String(result)
    }
}

extension Int {
    /// A number of things, or a size: within what every reader of the API can count.
    fileprivate var counted: Int { Swift.min(Swift.max(self, 0), Int(Int32.max) * 4096) }
    /// Bytes of months: what a browser counts to, 2^53.
    fileprivate var bytes: Int { Swift.min(Swift.max(self, 0), 1 << 53) }
    fileprivate func within(_ range: ClosedRange<Int>) -> Int { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }
}

extension Double {
    /// JSON has no NaN; what is none of these numbers is the nearest.
    fileprivate func within(_ range: ClosedRange<Double>) -> Double { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }

    /// Something measured that is never below 0, in no unit larger than days of milliseconds.
    fileprivate var measured: Double { isFinite ? Swift.min(Swift.max(self, 0), 1e9) : 0 }
}

extension Bitrate {
    fileprivate var counted: Bitrate { Bitrate(bitsPerSecond: bitsPerSecond.counted) }
}

extension Inventory {
    package func bounded() -> Inventory {
        Inventory(
            links: links.prefix(WireLimits.listEntries).map { link in
                Link(
                    name: link.name.bounded(to: 64), kind: link.kind, state: link.state,
                    addresses: link.addresses.prefix(16).map { $0.bounded(to: 64) }, mtu: link.mtu.counted,
                    reason: link.reason?.bounded(to: 512))
            },
            inputs: inputs.prefix(WireLimits.listEntries).map { input in
                Input(
                    id: input.id.bounded(to: 256), kind: input.kind, name: input.name.bounded(to: 256), media: input.media,
                    modes: input.modes.prefix(WireLimits.listEntries).map { mode in
                        var mode = mode
                        mode.format = mode.format.bounded(to: 32)
                        (mode.width, mode.height) = (mode.width.counted, mode.height.counted)
                        (mode.frames, mode.frameSeconds) = (mode.frames.counted, mode.frameSeconds.counted)
                        return mode
                    })
            },
            encoders: Array(encoders.prefix(32)))
    }
}

extension AgentHello {
    package func bounded() -> AgentHello {
        AgentHello(
            agentVersion: agentVersion.bounded(to: 64), inventory: inventory.bounded(), configuration: configuration.bounded(),
            sending: sending?.bounded())
    }
}

extension ConfigurationReport {
    /// Versions count from 0, one for each change.
    package func bounded() -> ConfigurationReport { ConfigurationReport(version: min(max(version, 0), Int(Int32.max))) }
}

extension SendingReport {
    package func bounded() -> SendingReport {
        SendingReport(broadcast: broadcast, revision: revision, state: state, reason: reason?.bounded())
    }
}

extension AgentTelemetry {
    package func bounded() -> AgentTelemetry {
        var result = self
        result.links = links.prefix(WireLimits.listEntries).map { $0.bounded() }
        result.pipeline = pipeline?.bounded()
        result.bond = bond?.bounded()
        result.interfaces = interfaces?.prefix(WireLimits.listEntries).map { interface in
            InterfaceTelemetry(
                name: interface.name.bounded(to: 64), receivedBytes: interface.receivedBytes.counted,
                sentBytes: interface.sentBytes.counted,
                receiveErrors: interface.receiveErrors.counted, sendErrors: interface.sendErrors.counted,
                receiveDropped: interface.receiveDropped.counted, sendDropped: interface.sendDropped.counted)
        }
        result.modems = modems?.prefix(WireLimits.modems).map { $0.bounded() }
        result.usage = usage?.prefix(WireLimits.listEntries).map { $0.bounded() }
        return result
    }
}

extension UsageTelemetry {
    func bounded() -> UsageTelemetry {
        UsageTelemetry(
            link: link.bounded(to: 64), sim: sim?.bounded(to: 4), since: since?.bounded(to: 10), sentBytes: sentBytes.bytes,
            receivedBytes: receivedBytes.bytes, capBytes: capBytes?.bytes, state: state)
    }
}

extension ModemTelemetry {
    package func bounded() -> ModemTelemetry {
        var result = self
        result.id = id.bounded(to: 64)
        result.link = link?.bounded(to: 64)
        result.model = model.bounded(to: 128)
        result.reason = reason?.bounded(to: 256)
        result.network = network?.bounded(to: 64)
        result.technology = technology?.bounded(to: 16)
        result.band = band?.bounded(to: 16)
        result.signalPercent = signalPercent?.within(0...100)
        result.rssiDbm = rssiDbm?.within(-200...100)
        result.rsrpDbm = rsrpDbm?.within(-200...100)
        result.rsrqDb = rsrqDb?.within(-100...100)
        result.sinrDb = sinrDb?.within(-100...100)
        result.position = position.flatMap { Position(latitude: $0.latitude, longitude: $0.longitude, altitudeMeters: $0.altitudeMeters) }
        return result
    }
}

extension LinkTelemetry {
    func bounded() -> LinkTelemetry {
        var result = self
        result.name = name.bounded(to: 64)
        result.reason = reason?.bounded()
        (result.sent, result.weight) = (sent.counted, weight.counted)
        (result.rttMs, result.loss) = (rttMs?.measured, loss.map { min($0.measured, 1) })
        result.retransmittedPackets = retransmittedPackets.counted
        result.bond = bond.map { bond in
            Bond(
                offeredPackets: bond.offeredPackets.counted, deliveredPackets: bond.deliveredPackets.counted,
                lostPackets: bond.lostPackets.counted, doubledPackets: bond.doubledPackets.counted, queueMs: bond.queueMs.measured,
                capacity: bond.capacity.counted)
        }
        return result
    }
}

extension PipelineTelemetry {
    func bounded() -> PipelineTelemetry {
        var result = PipelineTelemetry(
            produced: produced.counted, framesTotal: framesTotal.counted, restartsTotal: restartsTotal.counted,
            droppedPackets: droppedPackets.counted,
            frames: frames.map { Frames(made: $0.made.measured, input: $0.input.measured, dropped: $0.dropped.counted) })
        result.peak = peak?.prefix(SoundLevels.channels).map { $0.within(SoundLevels.floor...0) }
        result.rms = rms?.prefix(SoundLevels.channels).map { $0.within(SoundLevels.floor...0) }
        // Those that are known, each once: they become events, and go on to others.
        result.alarms = alarms.map { told in MediaAlarm.all.filter(told.contains) }.flatMap { $0.isEmpty ? nil : $0 }
        return result
    }
}

extension BondTelemetry {
    func bounded() -> BondTelemetry {
        BondTelemetry(
            available: available.counted, capacity: capacity.counted, queueMs: queueMs.measured, offeredPackets: offeredPackets.counted,
            deliveredPackets: deliveredPackets.counted, lostPackets: lostPackets.counted,
            retransmittedPackets: retransmittedPackets.counted, doubledPackets: doubledPackets.counted, latencyMs: latencyMs?.measured)
    }
}

extension FlightLog {
    package func bounded() -> FlightLog {
        FlightLog(broadcast: broadcast, run: run, entries: entries.prefix(WireLimits.flightEntries).map { $0.bounded() })
    }
}

extension FlightEntry {
    func bounded() -> FlightEntry {
        FlightEntry(
            number: number.counted, atMs: atMs, kind: Kind(rawValue: kind.rawValue.bounded(to: 32)), link: link?.bounded(to: 64),
            reason: reason?.bounded(),
            sample: sample.map { sample in
                FlightSample(
                    links: sample.links.prefix(16).map { $0.bounded() }, bond: sample.bond?.bounded(), pipeline: sample.pipeline?.bounded())
            })
    }
}

extension CommandOutcome {
    package func bounded() -> CommandOutcome {
        CommandOutcome(id: id, result: result, step: step?.bounded(to: 64), reason: reason?.bounded(), port: port?.within(0...65_535))
    }
}

extension PoolHello {
    package func bounded() -> PoolHello {
        PoolHello(
            poolVersion: poolVersion.bounded(to: 64), addresses: addresses.prefix(WireLimits.publicAddresses).map { $0.bounded(to: 253) },
            portRange: PortRange(first: portRange.first.within(1...65_535), last: portRange.last.within(1...65_535)),
            capacity: capacity.within(0...10_000), leases: leases.prefix(10_000).map { $0.bounded() })
    }
}

extension HostLoadReport {
    package func bounded() -> HostLoadReport { HostLoadReport(cpuPercent: cpuPercent?.within(0...100)) }
}

extension LeaseReport {
    func bounded() -> LeaseReport {
        LeaseReport(
            lease: lease, broadcast: broadcast, port: port.within(0...65_535), pid: pid?.counted,
            outputs: Array(outputs.prefix(WireLimits.listEntries)))
    }
}

extension StreamReport {
    package func bounded() -> StreamReport {
        StreamReport(
            lease: lease, broadcast: broadcast, port: port.within(0...65_535), pid: pid?.counted, uptimeSeconds: uptimeSeconds.counted,
            ingest: ingest.bounded(), outputs: outputs.prefix(WireLimits.listEntries).map { $0.bounded() }, restarts: restarts.counted,
            slateFault: slateFault?.bounded(), recording: recording?.bounded())
    }
}

extension RecordingReport {
    func bounded() -> RecordingReport {
        RecordingReport(
            state: state, reason: reason?.bounded(), bytesTotal: bytesTotal.bytes, lostFragmentsTotal: lostFragmentsTotal.counted)
    }
}

extension RecordingList {
    /// As control takes it: a file whose words are none of a file is left out, and with it its take.
    package func bounded() -> RecordingList {
        var files = 0
        var taken: [RecordedTake] = []
        for take in takes.prefix(WireLimits.recordedTakes) {
            files += take.files.count
            guard files <= WireLimits.recordedFiles else { break }
            if take.isSound { taken.append(take) }
        }
        return RecordingList(
            takes: taken, present: Array(present.prefix(WireLimits.recordedTakes)),
            isComplete: isComplete && present.count <= WireLimits.recordedTakes)
    }
}

extension RecordedTake {
    /// Numbers and texts as a host of ours writes them; the sizes are what is asked for, and no more is taken.
    fileprivate var isSound: Bool {
        guard damagedFragments >= 0, damagedFragments <= 1 << 40 else { return false }
        return files.indices.allSatisfy { files[$0].number == $0 + 1 && files[$0].isSound }
    }
}

extension RecordedFile {
    fileprivate var isSound: Bool {
        let digest = sha256.utf8
        guard digest.count == 64, digest.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return false }
        guard bytes >= 1, bytes <= 1 << 46, beganAtMs >= 0, beganAtMs <= 1 << 52 else { return false }
        guard durationMs >= 0, durationMs <= 1 << 40 else { return false }
        guard codecs.utf8.count <= 100, codecs.isPlain else { return false }
        return [width, height].allSatisfy { $0.map { (1...16_384).contains($0) } ?? true }
    }
}

extension IngestReport {
    func bounded() -> IngestReport {
        IngestReport(
            state: state, bitrate: bitrate.counted, keyFramesTotal: keyFramesTotal.counted, lostPacketsTotal: lostPacketsTotal.counted,
            recoveredPacketsTotal: recoveredPacketsTotal.counted, guardDroppedTotal: guardDroppedTotal.counted, video: video,
            width: width?.counted, height: height?.counted,
            paths: paths.prefix(WireLimits.listEntries).map { path in
                PathReport(
                    source: path.source.bounded(to: 64), bitrate: path.bitrate.counted, packetsTotal: path.packetsTotal.counted,
                    rttMs: path.rttMs?.measured, loss: path.loss.map { min($0.measured, 1) })
            }, latencyMs: latencyMs?.measured, slateMs: slateMs?.counted, deliveredPacketsTotal: deliveredPacketsTotal?.counted)
    }
}

extension OutputReport {
    func bounded() -> OutputReport {
        OutputReport(
            id: id, state: state, reason: reason?.bounded(), sentBytesTotal: sentBytesTotal.counted,
            droppedUnitsTotal: droppedUnitsTotal.counted, reconnectsTotal: reconnectsTotal.counted,
            keyFramesWantedTotal: keyFramesWantedTotal?.counted)
    }
}

extension UpdateReport {
    /// As it may be kept and shown, whatever a board says.
    package func bounded() -> UpdateReport {
        func digest(_ text: String) -> String { text.bounded(to: 64) }
        return UpdateReport(
            machine: machine.bounded(to: 32), installed: installed.bounded(to: 64), release: release.map(digest),
            previous: previous?.bounded(to: 64), phase: phase, underWay: underWay.map(digest), fetchedBytes: fetchedBytes?.counted,
            totalBytes: totalBytes?.counted, failed: failed.prefix(8).map(digest),
            outcome: outcome.map { Outcome(release: digest($0.release), reason: $0.reason.bounded(to: 300)) },
            last: last?.bounded(to: 300))
    }
}
