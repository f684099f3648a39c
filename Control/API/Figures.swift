import Broadcasts
import Fleet
import Posix
import Units
import Wire

/// What `/metrics` shows, in Prometheus' text format 0.0.4: the lines of each figure together, under its help and type.
struct Figures {
    enum Kind: String { case gauge, counter, histogram }

    private var heads: [String: String] = [:]
    private var lines: [String: [String]] = [:]
    private var order: [String] = []
    /// A series is there once, whatever a board says twice: a second one makes the whole text invalid.
    private var series: Set<String> = []

    /// A label that came from a board is cut to this.
    private static let labelLimit = 64

    /// - Parameter part: what a line of a histogram has behind its name.
    mutating func add(
        _ kind: Kind, _ name: String, _ help: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:], part: String = ""
    ) {
        let texts = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
        let line = name + part + (texts.isEmpty ? "" : "{\(texts.joined(separator: ","))}")
        guard series.insert(line).inserted else { return }
        if heads[name] == nil {
            heads[name] = "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
            order.append(name)
        }
        let number = value.rounded() == value && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
        lines[name, default: []].append(line + " \(number)\n")
    }

    var text: String { order.map { (heads[$0] ?? "") + (lines[$0] ?? []).joined() }.joined() }

    private static func escaped(_ label: String) -> String {
        // By scalars: a quote with an accent on it is one character, and not a quote.
        var escaped = String.UnicodeScalarView()
        for scalar in label.bounded(to: labelLimit).unicodeScalars {
            if scalar == "\\" || scalar == "\"" { escaped.append("\\") }
            escaped.append(scalar)
        }
        return String(escaped)
    }
}

extension Figures {
    static func text(of parts: Gateway.Parts) async -> String {
        var figures = Figures()
        let counts = await parts.fleet.counts
        figures.add(.gauge, "control_senders_online", "Senders that are connected", Double(counts.senders))
        figures.add(.gauge, "control_pool_hosts_online", "Pool hosts that are connected", Double(counts.hosts))
        for (state, count) in await parts.broadcasts.countByState() {
            figures.add(.gauge, "control_broadcasts", "Broadcasts that are not over", Double(count), ["state": state])
        }
        figures.add(.gauge, "control_uptime_seconds", "Since control started", Double(parts.health.uptimeSeconds))
        let terms = await parts.health.certificates.terms.sorted { $0.key.rawValue < $1.key.rawValue }
        for (certificate, term) in terms where certificate != .storeKey {
            figures.add(
                .gauge, "control_certificate_not_after_seconds", "When the certificate ends, in Unix time", Double(term.end),
                ["certificate": certificate.rawValue])
        }
        await figures.addOwn(parts)
        let samples = await parts.fleet.latestTelemetry
        parts.labels.withLock { $0.keep(only: Set(samples.keys.map(\.text)), at: parts.store.now) }
        for (sender, sample) in samples.sorted(by: { $0.key < $1.key }) {
            let inventory = await parts.fleet.hello(of: sender)?.inventory ?? Inventory()
            figures.add(
                parts.labels.withLock { $0.shown(sample, of: sender.text, with: inventory, at: parts.store.now) }, of: sender.text)
        }
        for (broadcast, sender, report) in await parts.broadcasts.reports() {
            figures.add(report.ingest, of: broadcast.text, sender.text)
            for output in report.outputs { figures.add(output, of: broadcast.text, sender.text) }
        }
        return figures.text
    }

    /// Of control itself, and of what it has to do.
    private mutating func addOwn(_ parts: Gateway.Parts) async {
        if let usage = ProcessUsage.own {
            add(.counter, "process_cpu_seconds_total", "Of control, both kinds", usage.processorSeconds)
            add(.gauge, "process_resident_memory_bytes", "Of control", Double(usage.residentBytes))
            add(.gauge, "process_open_fds", "Of control", Double(usage.openDescriptors))
        }
        parts.requests.add(to: &self)
        let flights = parts.fleet.flights.counts
        add(.gauge, "control_flight_records_waiting", "What could not be stored yet", Double(flights.waiting))
        add(.counter, "control_flight_records_dropped_total", "What there was no room for meanwhile", Double(flights.dropped))
        for account in parts.reporter.accounts {
            let outcomes = ["taken": account.taken, "refused": account.refused, "dropped": account.dropped]
            for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) {
                add(
                    .counter, "control_error_events_total", "Errors that trackers were to be told", Double(count),
                    ["tracker": account.tracker, "outcome": outcome])
            }
            add(
                .gauge, "control_error_events_waiting", "Errors that a tracker has not taken yet", Double(account.waiting),
                ["tracker": account.tracker])
        }
        if let exporter = parts.traces?.exporter {
            let account = exporter.account
            for (outcome, count) in [("dropped", exporter.dropped), ("exported", account.exported), ("lost", account.lost)] {
                add(.counter, "control_spans_total", "Spans of traces, by what became of them", Double(count), ["outcome": outcome])
            }
        }
        // try?: as of the jobs below.
        if let stock = try? await parts.store.operations.stock() {
            add(.gauge, "control_organizations", "Organisations on this server", Double(stock.organizations))
            add(.gauge, "control_users", "Users who may sign in", Double(stock.users))
            add(.gauge, "control_senders", "Senders that are enrolled", Double(stock.senders))
            add(.gauge, "control_meetings", "Meetings that have begun at some time", Double(stock.meetings))
            add(.gauge, "control_recordings", "Recordings that there are", Double(stock.recordings))
        }
        guard let jobs = try? await parts.store.jobs.counts() else { return }  // The database's own health is told elsewhere.
        for job in jobs {
            add(
                .gauge, "control_jobs", "What is to be done, and what was given up or done and is remembered", Double(job.count),
                ["kind": job.kind, "state": job.outcome?.rawValue ?? "waiting"])
        }
    }

    private mutating func add(_ output: OutputReport, of broadcast: String, _ sender: String) {
        let labels: KeyValuePairs = ["broadcast": broadcast, "sender": sender, "output": output.id.text]
        add(.gauge, "stream_output_connected", "1 where the platform takes the stream", output.state == .connected ? 1 : 0, labels)
        add(.counter, "stream_output_sent_bytes_total", "What the platform was sent", Double(output.sentBytesTotal), labels)
        add(
            .counter, "stream_output_dropped_units_total", "Access units that the platform was too slow for",
            Double(output.droppedUnitsTotal), labels)
        add(.counter, "stream_output_reconnects_total", "How often the platform was dialled again", Double(output.reconnectsTotal), labels)
    }

    mutating func add(_ shown: (sample: AgentTelemetry, hidden: Int), of sender: String) {
        let sample = shown.sample
        add(
            .gauge, "sender_hidden_entries",
            "Links and modems that the sender tells of and that are not shown: not of its inventory, or too many in a day",
            Double(shown.hidden), ["sender": sender])
        if let pipeline = sample.pipeline {
            add(
                .gauge, "sender_produced_bits_per_second", "What the sender's encoder makes", Double(pipeline.produced.bitsPerSecond),
                ["sender": sender])
            add(.counter, "sender_frames_total", "Pictures that its encoder made", Double(pipeline.framesTotal), ["sender": sender])
            if let frames = pipeline.frames {
                add(
                    .counter, "sender_dropped_frames_total", "Pictures that its encoder was too slow for", Double(frames.dropped),
                    ["sender": sender])
            }
            add(
                .counter, "sender_pipeline_restarts_total", "How often the pipeline was built again", Double(pipeline.restartsTotal),
                ["sender": sender])
            add(
                .counter, "sender_dropped_packets_total", "Packets that the transport could not take", Double(pipeline.droppedPackets),
                ["sender": sender])
        }
        for interface in sample.interfaces ?? [] { add(interface, of: sender) }
        for modem in sample.modems ?? [] { add(modem, of: sender) }
        for usage in sample.usage ?? [] { add(usage, of: sender) }
        for link in sample.links {
            let labels: KeyValuePairs = ["sender": sender, "link": link.name]
            add(.gauge, "sender_link_live", "1 where the link carries media", link.state == .live ? 1 : 0, labels)
            add(.gauge, "sender_link_sent_bits_per_second", "What the link carries", Double(link.sent.bitsPerSecond), labels)
            add(.counter, "sender_link_retransmitted_packets_total", "Packets sent again", Double(link.retransmittedPackets), labels)
            if let rtt = link.rttMs { add(.gauge, "sender_link_rtt_seconds", "Round trip to the receiver", rtt / 1000, labels) }
            if let loss = link.loss { add(.gauge, "sender_link_loss_ratio", "Share of its packets that did not arrive", loss, labels) }
        }
    }

    private mutating func add(_ interface: InterfaceTelemetry, of sender: String) {
        let labels: KeyValuePairs = ["sender": sender, "link": interface.name]
        add(.counter, "sender_interface_received_bytes_total", "By the kernel's count", Double(interface.receivedBytes), labels)
        add(.counter, "sender_interface_sent_bytes_total", "By the kernel's count, all traffic", Double(interface.sentBytes), labels)
        add(.counter, "sender_interface_receive_errors_total", "Packets that came broken", Double(interface.receiveErrors), labels)
        add(.counter, "sender_interface_send_errors_total", "Packets that could not be sent", Double(interface.sendErrors), labels)
        add(.counter, "sender_interface_receive_dropped_total", "Packets that nobody took", Double(interface.receiveDropped), labels)
        add(
            .counter, "sender_interface_send_dropped_total", "Packets that the interface had no room for", Double(interface.sendDropped),
            labels)
    }

    private mutating func add(_ usage: UsageTelemetry, of sender: String) {
        let labels: KeyValuePairs = ["sender": sender, "link": usage.link]
        let used = Double(usage.sentBytes) + Double(usage.receivedBytes)
        add(.gauge, "sender_data_used_bytes", "Carried in the link's billing cycle, both ways", used, labels)
        if let cap = usage.capBytes { add(.gauge, "sender_data_cap_bytes", "What its plan has in a cycle", Double(cap), labels) }
    }

    private mutating func add(_ modem: ModemTelemetry, of sender: String) {
        let labels: KeyValuePairs = ["sender": sender, "link": modem.link ?? "", "modem": modem.id]
        let isOnline = modem.state == .connected || modem.state == .registered
        add(.gauge, "sender_modem_registered", "1 where the modem is registered with a network", isOnline ? 1 : 0, labels)
        if let percent = modem.signalPercent {
            add(.gauge, "sender_modem_signal_ratio", "Signal quality by the modem's reckoning", Double(percent) / 100, labels)
        }
        for (name, help, value) in [
            ("sender_modem_rssi_dbm", "Received power", modem.rssiDbm),
            ("sender_modem_rsrp_dbm", "Power of the reference signal", modem.rsrpDbm),
            ("sender_modem_rsrq_db", "Quality of the reference signal", modem.rsrqDb),
            ("sender_modem_sinr_db", "Signal over noise and interference", modem.sinrDb),
        ] { if let value { add(.gauge, name, help, value, labels) } }
    }

    private mutating func add(_ ingest: IngestReport, of broadcast: String, _ sender: String) {
        let labels: KeyValuePairs = ["broadcast": broadcast, "sender": sender]
        add(.gauge, "stream_received_bits_per_second", "What the receiver gets", Double(ingest.bitrate.bitsPerSecond), labels)
        add(.counter, "stream_lost_packets_total", "Packets that never arrived", Double(ingest.lostPacketsTotal), labels)
        add(
            .counter, "stream_recovered_packets_total", "Packets that arrived when sent again", Double(ingest.recoveredPacketsTotal), labels
        )
    }
}
