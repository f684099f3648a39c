import CGStreamer

/// What is asked of a `webrtcbin` of the pipeline. Its answers come from threads of its own; the pipeline's thread waits for them.
extension Pipeline {
    /// How a PeerConnection stands. Source: GstWebRTCPeerConnectionState.
    package enum PeerState: Int64, Sendable, Hashable {
        case new, connecting, connected, disconnected, failed, closed
    }

    /// Has it ask no router to open a port (UPnP IGD), which its agent does by itself on each network. Before its offer.
    package func leaveRouters(by peer: StaticString) throws(GStreamerError) {
        try withElement(peer) { element, name throws(GStreamerError) in
            guard strata_leave_routers(element) != 0 else {
                throw GStreamerError(function: "g_object_set", element: name, reason: "its agent has no setting for UPnP")
            }
        }
    }

    /// Makes its offer, in which the first `sections` send and do not receive; from then on it is what it offered.
    ///
    /// - Returns: SDP, without candidates: those of this end are not needed where the other is a lite agent.
    package func offer(of peer: StaticString, sections: Int) async throws(GStreamerError) -> String {
        let result = await ask(peer) { element in
            for section in 0..<sections where strata_send_only(element, CInt(section)) == 0 { return nil }
            guard let text = strata_make_offer(element) else { return nil }
            defer { g_free(text) }
            return String(cString: text)
        }
        guard let offer = result else { throw GStreamerError(function: "create-offer", element: "\(peer)", reason: "it makes no offer") }
        return offer
    }

    /// Gives it the answer, and the candidates that stand in that.
    package func take(answer: String, candidates: [String], of peer: StaticString) async throws(GStreamerError) {
        let result = await ask(peer) { element -> String? in
            guard strata_take_answer(element, answer) != 0 else { return nil }
            for candidate in candidates { strata_add_candidate(element, 0, candidate) }
            return ""
        }
        guard result != nil else {
            throw GStreamerError(function: "set-remote-description", element: "\(peer)", reason: "it does not take the answer")
        }
    }

    /// nil for one that this version does not know.
    package func peerState(of peer: StaticString) throws(GStreamerError) -> PeerState? {
        guard case .integer(let number)? = try get(peer, "connection-state") else { return nil }
        return PeerState(rawValue: number)
    }

    private func ask(
        _ peer: StaticString, _ question: @escaping @Sendable (UnsafeMutablePointer<GstElement>) -> String?
    ) async -> String? {
        let name = "\(peer)"
        let answer = await command { pipeline -> String? in
            guard let element = gst_bin_get_by_name(strata_bin(pipeline), name) else { return nil }
            defer { gst_object_unref(element) }
            return question(element)
        }
        return answer ?? nil
    }
}
