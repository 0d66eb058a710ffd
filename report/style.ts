/** Of the report in HTML: light, dark and printed on A4. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1b1a18;--ink-2:#4f4c46;--rule:#dedad2;--rule-2:#86817a;--hot:#8f2b05;--hot-line:#c8440f}
@media (prefers-color-scheme:dark){:root{--paper:#131311;--ink:#eeece7;--ink-2:#b5b1a8;--rule:#353330;--rule-2:#837e75;--hot:#ff9f75;--hot-line:#f0723c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:2rem 1.5rem 3rem;background:var(--paper);color:var(--ink);font:.875rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums lining-nums}
h1,h2,p,dl,dd,figure,table{margin:0}p,dd,footer{overflow-wrap:anywhere}h1{font-size:1.75rem;line-height:1.15;letter-spacing:-.015em}
h2{font-size:1rem;margin-top:2rem;padding-bottom:.35rem;border-bottom:1px solid var(--ink)}
.when{color:var(--ink-2);margin-top:.35rem}.lead{font-size:1.05rem;max-width:68ch;margin-top:1rem}.lead b{color:var(--hot)}
.figs{display:grid;grid-template-columns:repeat(3,1fr);margin-top:1.25rem;border-top:1px solid var(--rule)}
.figs div{padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--rule)}dt,dd{font-size:.75rem;color:var(--ink-2)}dd b{font-size:1.25rem;color:var(--ink);font-weight:600}
figure svg{display:block;width:100%;height:auto;margin-top:.75rem}figcaption,.note{color:var(--ink-2);font-size:.8125rem;margin-top:.35rem;max-width:90ch}
.none{margin-top:.5rem}svg text{fill:var(--ink-2);font-size:10.5px}svg .s{fill:var(--ink);font-weight:600}svg .name{fill:var(--ink);font-size:11px}
.g{stroke:var(--rule)}.a{fill:var(--rule-2);fill-opacity:.35}.l{fill:none;stroke:var(--ink);stroke-width:1.2}.m{stroke:var(--ink)}
.h{fill:var(--hot-line)}.hn{fill:none;stroke:var(--hot-line);stroke-width:1.5}
.wrap{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.8125rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--rule);overflow-wrap:break-word}
thead th{font-weight:400;font-size:.75rem;color:var(--ink-2);vertical-align:bottom;border-bottom-color:var(--ink)}
tbody th{font-weight:600;min-width:7rem;overflow-wrap:anywhere}td{min-width:4rem}.r{text-align:right}.r,.w{white-space:nowrap}.t{min-width:11rem}.t,.n{overflow-wrap:anywhere}
footer{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--rule);color:var(--ink-2);font-size:.75rem}
@media (max-width:600px){.figs{grid-template-columns:repeat(2,1fr)}body{padding:1.25rem 1rem 2rem}}
@page{size:A4;margin:14mm 14mm 16mm}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--ink-2:#333;--rule:#ccc;--rule-2:#888;--hot:#8f2b05;--hot-line:#c8440f}body{max-width:none;padding:0;font-size:9pt;print-color-adjust:exact}
table{font-size:7.5pt}th,td{padding-right:.3rem}td{min-width:0}.n{min-width:3rem}tbody th{min-width:4.5rem}.t{min-width:6rem}thead{display:table-header-group}tr,figure{break-inside:avoid}h2{break-after:avoid;margin-top:6mm}.lead{font-size:10.5pt}.wrap{overflow:visible}}
`;
