#!/bin/sh
# manual.sh LANGUAGE PROGRAM - katamichi(1) in mdoc, from what PROGRAM itself says (--help), so that the two cannot differ.
set -eu
language=$1 program=$2
export LC_ALL=C.UTF-8 LANGUAGE="$language"
# A line of text as mdoc: no macro at its beginning, no escape in it.
literal() { sed -e 's/\\/\\e/g' -e "s/^[.']/\\\\\&&/"; }

case $language in
ja) cat <<'END' ;;
.Dd November 21, 2026
.Dt KATAMICHI 1
.Os
.Sh NAME
.Nm katamichi
.Nd 一方向ファイル転送の操作及び確認
.Sh SYNOPSIS
.Nm
.Ar コマンド
.Op Ar 引数
.Nm
.Fl -help | -version
.Sh DESCRIPTION
送信側
.Pq Xr katamichi-sender 8
及び受信側
.Pq Xr katamichi-receiver 8
の状態の確認、届いたものの検証、鍵の作成などを行います。
各コマンドの説明は、そのコマンドに
.Fl -help
を付けて表示したものと同じです。
.Sh COMMANDS
END
*) cat <<'END' ;;
.Dd November 21, 2026
.Dt KATAMICHI 1
.Os
.Sh NAME
.Nm katamichi
.Nd see, check and operate a one-way file transfer
.Sh SYNOPSIS
.Nm
.Ar command
.Op Ar arguments
.Nm
.Fl -help | -version
.Sh DESCRIPTION
The operator's tool of both ends:
.Xr katamichi-sender 8
outside,
.Xr katamichi-receiver 8
in the zone.
Below stands what each command says when it is given
.Fl -help .
.Sh COMMANDS
END
esac
"$program" --help | LC_ALL=C sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p' | while read -r command; do
	printf '.Ss %s\n.Bd -literal\n' "$command"
	# shellcheck disable=SC2086 # a command may have two words
	"$program" $command --help | literal
	printf '.Ed\n'
done
case $language in
ja) cat <<'END' ;;
.Sh ENVIRONMENT
.Bl -tag -width LANGUAGE
.It Ev LC_ALL , LC_MESSAGES , LANG
ja_JP.UTF-8 のとき、日本語で表示します。
.It Ev NO_COLOR
空でないとき、色を使いません。
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/katamichi/sender.conf , /etc/katamichi/receiver.conf
どちらか一方だけがあるホストでは、
.Fl c
を省略できます。
.El
.Sh EXIT STATUS
.Bl -tag -width 70 -compact
.It 0
完了又は「はい」
.It 1
「いいえ」：検証できない、届いていないものがある等
.It 2
引数の誤り
.It 3
設定の誤り
.It 4
鍵の誤り
.It 5
システム（ファイル、ポート、メモリー等）
.It 6
自身のデータの破損
.It 70
プログラムの不具合
.El
END
*) cat <<'END' ;;
.Sh ENVIRONMENT
.Bl -tag -width LANGUAGE
.It Ev LC_ALL , LC_MESSAGES , LANG
With ja_JP.UTF-8 messages are Japanese.
.It Ev NO_COLOR
If it is not empty, there are no colours.
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/katamichi/sender.conf , /etc/katamichi/receiver.conf
On a host that has one of them only,
.Fl c
may be left out.
.El
.Sh EXIT STATUS
.Bl -tag -width 70 -compact
.It 0
done, or yes
.It 1
no: not verified, something is missing
.It 2
usage
.It 3
configuration
.It 4
keys
.It 5
the system: files, ports, memory
.It 6
own data damaged
.It 70
a fault of the program
.El
END
esac
cat <<'END'
.Sh SEE ALSO
.Xr katamichi-doctor.conf 5 ,
.Xr katamichi-ledger 5 ,
.Xr katamichi-manifest 5 ,
.Xr katamichi.conf 5 ,
.Xr katamichi-receiver 8 ,
.Xr katamichi-sender 8
END
