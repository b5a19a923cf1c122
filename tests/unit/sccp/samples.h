/* Samples of messages as other implementations write and read them, without the zeros that end
 * them, and what they say. */
#ifndef CS_TESTS_SCCP_SAMPLES_H
#define CS_TESTS_SCCP_SAMPLES_H

#include <stdint.h>

static const struct {
    unsigned version;
    const char *hex, *words;
} samples[] = {
    /* Register, protocol 11, short form */
    { 11,
      "380000000000000001000000534550303031313232333334343535000000000001000000c000020a"
      "0700000005000000000000000b006085",
      "Register name=\"SEP001122334455\" instance=1 station=192.0.2.10 type=7960 max_streams=5 "
      "version=11 features=006085" },
    /* Register, protocol 17 */
    { 17,
      "800000000000000001000000534550303031313232333334343535000000000001000000c000020a"
      "b4010000050000000000000011007285000000000000000000112233445500000000000000000000"
      "0200000000000000000000000000000000000000000000005343435034352e392d342d325352332d"
      "3153",
      "Register name=\"SEP001122334455\" instance=1 station=192.0.2.10 type=7965 max_streams=5 "
      "version=17 features=007285 mac=001122334455000000000000 max_lines=2 "
      "load=\"SCCP45.9-4-2SR3-1S\"" },
    /* RegisterAck, agreed version 11 */
    { 11, "1800000000000000810000001e000000442f4d2f590000003c0000000b20f1ff",
      "RegisterAck keepalive=30 date=\"D/M/Y\" keepalive_secondary=60 version=11 features=20f1ff" },
    /* RegisterAck, agreed version 17 */
    { 17, "1800000000000000810000001e000000442f4d2f590000003c0000001120f1ff",
      "RegisterAck keepalive=30 date=\"D/M/Y\" keepalive_secondary=60 version=17 features=20f1ff" },
    /* RegisterReject */
    { 9, "24000000000000009d000000556e6b6e6f776e20646576696365",
      "RegisterReject reason=\"Unknown device\"" },
    /* CapabilitiesReq */
    { 9, "04000000000000009b000000", "CapabilitiesReq" },
    /* CapabilitiesRes, two codecs */
    { 9, "28010000000000001000000002000000040000002800000000000000000000000200000028",
      "CapabilitiesRes n=2 audio[0]={ codec=PCMU frames=40 } audio[1]={ codec=PCMA frames=40 }" },
    /* ButtonTemplate: line 1, speed dial 1, four unused */
    { 9,
      "6400000000000000970000000000000006000000060000000109010200ff00ff00ff00ff00ff00ff"
      "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"
      "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
      "ButtonTemplate n=6 total=6 buttons[0]={ instance=1 type=line } buttons[1]={ instance=1 "
      "type=\"speed dial\" } buttons[2]={ type=undefined } buttons[3]={ type=undefined } "
      "buttons[4]={ type=undefined } buttons[5]={ type=undefined }" },
    /* SoftKeyTemplateRes, 4 keys */
    { 9,
      "90020000000000000801000000000000040000000400000080010000000000000000000000000000"
      "01000000800200000000000000000000000000000200000080030000000000000000000000000000"
      "030000008009000000000000000000000000000009",
      "SoftKeyTemplateRes n=4 total=4 keys[0]={ label=\"[Redial]\" event=Redial } keys[1]={ "
      "label=\"[NewCall]\" event=NewCall } keys[2]={ label=\"[Hold]\" event=Hold } keys[3]={ "
      "label=\"[EndCall]\" event=EndCall }" },
    /* LineStat, protocol 11 (line 1 = 2001 "Front desk") */
    { 9,
      "74000000000000009200000001000000323030310000000000000000000000000000000000000000"
      "46726f6e74206465736b000000000000000000000000000000000000000000000000000000000000"
      "32303031000000000000000000000000000000000000000000000000000000000000000000000000"
      "0f",
      "LineStat line=1 number=\"2001\" name=\"Front desk\" label=\"2001\" options=15" },
    /* LineStatDynamic, protocol 17 */
    { 17, "240000001100000047010000010000000f000000323030310046726f6e74206465736b0032303031",
      "LineStatDynamic line=1 options=15 number=\"2001\" name=\"Front desk\" label=\"2001\"" },
    /* DefineTimeDate 2026-11-21 04:10:02 Saturday */
    { 9,
      "280000000000000094000000ea0700000b0000000600000015000000040000000a00000002000000"
      "000000009a19016b",
      "DefineTimeDate year=2026 month=11 weekday=6 day=21 hour=4 minute=10 second=2 "
      "unix_time=1795234202" },
    /* OffHook, protocol 11 */
    { 11, "0c0000000b00000006000000", "OffHook" },
    /* CallState offhook, line 1, call 0x1001 */
    { 11, "1c0000000b000000110100000100000001000000011000000000000004",
      "CallState state=\"off hook\" line=1 call=4097 precedence=4" },
    /* SelectSoftKeys set 4, all keys */
    { 11, "140000000b00000010010000010000000110000004000000ffffffff",
      "SelectSoftKeys line=1 call=4097 set=\"off hook\" mask=4294967295" },
    /* StartTone inside dial tone */
    { 11, "140000000b000000820000002100000000000000010000000110",
      "StartTone tone=\"inside dial\" to=user line=1 call=4097" },
    /* KeypadButton 5 */
    { 11, "100000000b0000000300000005000000010000000110", "KeypadButton key=5 line=1 call=4097" },
    /* StopTone, protocol 11+ */
    { 11, "100000000b00000083000000010000000110", "StopTone line=1 call=4097 tone=silence" },
    /* DialedNumber, protocol 3..18 */
    { 17,
      "24000000110000001d01000035353531323334000000000000000000000000000000000001000000"
      "0110",
      "DialedNumber number=\"5551234\" line=1 call=4097" },
    /* DialedNumber, protocol 19+ (25-byte number, nothing aligned after it) */
    { 20,
      "28000000140000001d01000035353531323334000000000000000000000000000000000000010000"
      "000110",
      "DialedNumber number=\"5551234\" line=1 call=4097" },
    /* DisplayDynamicPromptStatus "Ring Out" label */
    { 17, "1400000011000000450100000000000001000000011000008016",
      "DisplayDynamicPromptStatus line=1 call=4097 text=\"[Ring out]\"" },
    /* SetRinger inside ring, normal */
    { 11, "140000000b000000850000000200000001000000010000000110",
      "SetRinger mode=inside duration=normal line=1 call=4097" },
    /* SetLamp line 1 blink */
    { 11, "100000000b00000086000000090000000100000005",
      "SetLamp button=line instance=1 mode=blink" },
    /* CallInfoDynamic, protocol 16+ (15 strings), outbound 2001 -> 5551234 */
    { 17,
      "60000000110000004a01000001000000011000000200000000000000000000000100000001000000"
      "000000003230303100323030310035353531323334003535353132333400000000000046726f6e74"
      "206465736b00416c69636500416c696365",
      "CallInfoDynamic line=1 call=4097 type=outbound instance=1 security=\"not authenticated\" "
      "calling=\"2001\" alternate=\"2001\" called=\"5551234\" original=\"5551234\" "
      "calling_name=\"Front desk\" called_name=\"Alice\" original_name=\"Alice\"" },
    /* OpenReceiveChannel, protocol 11, PCMU 20 ms, RFC2833 PT 101 */
    { 11,
      "700000000b0000000501000001100000012000001400000004000000000000000000000001100000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000065",
      "OpenReceiveChannel conference=4097 party=8193 packet_ms=20 codec=PCMU call=4097 "
      "event_payload=101" },
    /* OpenReceiveChannel, protocol 17, PCMU 20 ms */
    { 17,
      "84000000110000000501000001100000012000001400000004000000000000000000000001100000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000065",
      "OpenReceiveChannel conference=4097 party=8193 packet_ms=20 codec=PCMU call=4097 "
      "event_payload=101 address_kind=IPv4" },
    /* OpenReceiveChannel, protocol 20, SRTP AES_CM_128_HMAC_SHA1_32 */
    { 20,
      "84000000140000000501000001100000012000001400000004000000000000000000000001100000"
      "0100000010000e00101112131415161718191a1b1c1d1e1f303132333435363738393a3b3c3d0000"
      "0000000000000000000000000000000065",
      "OpenReceiveChannel conference=4097 party=8193 packet_ms=20 codec=PCMU call=4097 crypto={ "
      "cipher=AES_CM_128_HMAC_SHA1_32 key_length=16 salt_length=14 key=<16 bytes> salt=<16 bytes> "
      "} event_payload=101 address_kind=IPv4" },
    /* OpenReceiveChannelAck, protocol 3..16, ok 192.0.2.10:16384 */
    { 11, "180000000b0000002200000000000000c000020a00400000012000000110",
      "OpenReceiveChannelAck status=ok address=192.0.2.10 port=16384 party=8193 call=4097" },
    /* OpenReceiveChannelAck, protocol 17+ */
    { 17,
      "2800000011000000220000000000000000000000c000020a00000000000000000000000000400000"
      "012000000110",
      "OpenReceiveChannelAck status=ok address=192.0.2.10 port=16384 party=8193 call=4097" },
    /* StartMediaTransmission, protocol 11, to 198.51.100.7:20000 */
    { 11,
      "780000000b0000008a0000000110000001200000c6336407204e00001400000004000000b8000000"
      "00000000000000000000000001100000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000000000000000000000000000000065",
      "StartMediaTransmission conference=4097 party=8193 remote=198.51.100.7 remote_port=20000 "
      "packet_ms=20 codec=PCMU precedence=184 call=4097 event_payload=101" },
    /* StartMediaTransmission, protocol 17 */
    { 17,
      "88000000110000008a000000011000000120000000000000c6336407000000000000000000000000"
      "204e00001400000004000000b8000000000000000000000000000000011000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000065",
      "StartMediaTransmission conference=4097 party=8193 remote=198.51.100.7 remote_port=20000 "
      "packet_ms=20 codec=PCMU precedence=184 call=4097 event_payload=101" },
    /* StartMediaTransmission, protocol 20, SRTP */
    { 20,
      "88000000140000008a000000011000000120000000000000c6336407000000000000000000000000"
      "204e00001400000004000000b8000000000000000000000000000000011000000100000010000e00"
      "101112131415161718191a1b1c1d1e1f303132333435363738393a3b3c3d00000000000000000000"
      "000000000000000065",
      "StartMediaTransmission conference=4097 party=8193 remote=198.51.100.7 remote_port=20000 "
      "packet_ms=20 codec=PCMU precedence=184 call=4097 crypto={ cipher=AES_CM_128_HMAC_SHA1_32 "
      "key_length=16 salt_length=14 key=<16 bytes> salt=<16 bytes> } event_payload=101" },
    /* StartMediaTransmissionAck, protocol 17+ */
    { 17,
      "2c000000110000005401000001100000012000000110000000000000c000020a0000000000000000"
      "000000000040",
      "StartMediaTransmissionAck conference=4097 party=8193 call=4097 address=192.0.2.10 "
      "port=16384 status=ok" },
    /* SoftKeyEvent EndCall */
    { 17, "10000000110000002600000009000000010000000110",
      "SoftKeyEvent event=EndCall line=1 call=4097" },
    /* CloseReceiveChannel */
    { 17, "14000000110000000601000001100000012000000110",
      "CloseReceiveChannel conference=4097 party=8193 call=4097 port_after=close" },
    /* StopMediaTransmission */
    { 17, "14000000110000008b00000001100000012000000110",
      "StopMediaTransmission conference=4097 party=8193 call=4097 port_after=close" },
    /* ConnectionStatisticsReq, protocol 3..18 */
    { 17, "2400000011000000070100003535353132333400000000000000000000000000000000000110",
      "ConnectionStatisticsReq number=\"5551234\" call=4097 mode=clear" },
    /* ConnectionStatisticsReq, protocol 19+ */
    { 20,
      "28000000140000000701000035353531323334000000000000000000000000000000000000000000"
      "0110",
      "ConnectionStatisticsReq number=\"5551234\" call=4097 mode=clear" },
    /* KeepAlive */
    { 9, "040000000000000000000000", "KeepAlive" },
    /* KeepAliveAck */
    { 9, "040000000000000000010000", "KeepAliveAck" },
    /* Reset (restart) */
    { 9, "08000000000000009f00000002", "Reset how=restart" },
    /* UnregisterAck */
    { 9, "080000000000000018010000", "UnregisterAck status=done" },
};

#endif
